"""Pasts from traces and from our own log."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from adapter.replay.inputs import aligned, of_log, of_traces
from adapter.replay.load import Load
from cme.collector.replicas import State, as_batch
from cme.core.batch import Batch
from cme.core.errors import InvalidInput
from cme.core.identity import SeriesKey
from cme.core.replica_record import Startup
from cme.log.embedded import EmbeddedLog
from predictor.decide.rules import REPLICAS
from tests.unit.adapter.replay.past import ARRIVALS, BACKLOG, MINUTE, START, policy

NAN = float("nan")


def write(path: Path, step_s: int, values: np.ndarray) -> Path:
    with gzip.open(path, "wt") as file:
        rows = (f"{START // 1000 + n * step_s},{value}\n" for n, value in enumerate(values.tolist()))
        file.writelines(["timestamp,value\n", *rows])
    return path


def test_a_trace_is_a_load_that_is_constant_within_its_steps(tmp_path: Path) -> None:
    given = of_traces(policy(), {"qps": write(tmp_path / "web.csv.gz", 60, np.arange(3000))})
    assert (given.load.start_ms, given.load.step_ms, dict(given.rows)) == (START, MINUTE, {"qps": 0})
    assert given.load.values[0, :3].tolist() == [0, 1, 2]


def test_each_signal_needs_a_trace_and_each_trace_a_signal(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="signal qps of shop/web has no trace"):
        of_traces(policy(), {})
    trace = write(tmp_path / "web.csv.gz", 60, np.arange(3000))
    with pytest.raises(InvalidInput, match="has no signal other; it has qps"):
        of_traces(policy(), {"qps": trace, "other": trace})


def test_loads_of_different_steps_are_one_over_their_common_time() -> None:
    coarse = Load(START + 7, 2 * MINUTE, np.array([[1.0, 2.0, 3.0]]))
    fine = Load(START + MINUTE, MINUTE, np.array([[10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]]))
    both = aligned([coarse, fine])
    assert (both.start_ms, both.step_ms) == (START + MINUTE, MINUTE)
    assert both.values.tolist() == [[1, 2, 2, 3, 3], [10, 20, 30, 40, 50]]
    with pytest.raises(InvalidInput, match="no time in common"):
        aligned([coarse, Load(START + 1000 * MINUTE, MINUTE, fine.values)])


@pytest.fixture
def log(tmp_path: Path) -> EmbeddedLog:
    return EmbeddedLog.open(tmp_path, writable=True)


def test_a_log_gives_its_minutes_and_what_it_has_learnt(log: EmbeddedLog) -> None:
    made = policy([ARRIVALS, BACKLOG])
    arrivals, backlog = (SeriesKey(made.workload, name).id for name in ("arrivals", "jobs"))
    for minute in (1, 2, 4):
        columns = {"mean": np.array([minute, 5.0]), "max": np.array([minute + 0.5, 9.0])}
        columns |= {"last": columns["mean"], "count": np.array([12.0, 12.0])}
        typed = {name: column.astype(np.float32) for name, column in columns.items()}
        typed["flags"] = np.zeros(2, dtype=np.uint8)
        ids = np.array([arrivals, backlog], dtype=np.uint64)
        log.append([Batch("minutes", START + minute * MINUTE, ids, typed)])
    log.append([_decision(backlog, 1.5), _decision(backlog, 1.75), _decision(backlog, NAN)])
    given = of_log(made, log, days=1, now_ms=START + 5 * MINUTE + 7000)
    log.close()
    assert (given.load.start_ms, given.load.step_ms) == (START, MINUTE)
    assert np.array_equal(given.load.values, [[1, 2, NAN, 4, NAN]], equal_nan=True)
    assert given.load.largest(np.array([START + 4 * MINUTE]), MINUTE).tolist() == [[4.5]]
    assert given.drains == {"jobs": 1.75}
    assert np.isnan(given.lead_ms)


def test_a_log_without_the_workload_says_so(log: EmbeddedLog) -> None:
    with pytest.raises(InvalidInput, match=r"no minute of shop/Deployment\.apps/web in the last 3 days"):
        of_log(policy(), log, days=3, now_ms=START)
    log.close()


def _decision(series: int, drain: float) -> Batch:
    return Batch("decisions", START, np.array([series], dtype=np.uint64), {"drain": np.array([drain])})


def test_what_is_learnt_of_starts_is_that_of_the_newest_record(log: EmbeddedLog) -> None:
    made = policy()
    series = SeriesKey(made.workload, REPLICAS).id
    for seconds in (90.0, 40.0):
        learnt = Startup(seconds * 1000, 5)
        log.append(
            [as_batch(series, State("deployments", 2, "{}", NAN, seconds * 2000, learnt, None), START)]
        )
    columns = {name: np.array([7.0], dtype=np.float32) for name in ("mean", "max", "last", "count")}
    ids = np.array([SeriesKey(made.workload, "qps").id], dtype=np.uint64)
    log.append([Batch("minutes", START + MINUTE, ids, columns | {"flags": np.zeros(1, dtype=np.uint8)})])
    given = of_log(made, log, days=1, now_ms=START + 2 * MINUTE)
    log.close()
    assert (given.lead_ms, given.startup_p90_ms) == (80_000, 40_000)
