"""What one replica gets through, learnt from queues whose drain is known."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cme.collector.rollup import Bucket, rollup_batch
from cme.core.batch import Batch, series_ids
from cme.core.durations import HOUR_MS, MINUTE_MS
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from predictor.decide.rules import compile_rules
from predictor.drain import LEAST, RECALLED, SUMMED, Drains
from tests.unit.predictor.stage import NAN, START, policy

SIGNALS = [
    {
        "name": "queue_backlog",
        "source": {"x": {}},
        "perReplica": 40,
        "drain": {"within": "10m", "arrivals": "jobs"},
    },
    {"name": "jobs", "source": {"x": {}}, "perReplica": 5},
]
QUEUE, OTHER = policy("queue", signals=SIGNALS), policy("other", "qps")
RULES = compile_rules([OTHER, QUEUE])
BACKLOG, JOBS = (QUEUE.series(signal).id for signal in QUEUE.spec.signals)
Noise = Callable[[int], float]
"""By the minute what of the work that is done is committed in it, as a share."""


def replicas(now: int, ready: int, of: ScalingPolicy = QUEUE) -> Batch:
    pods = json.dumps({"labels": [{}], "pods": [[f"p{n}", 0] for n in range(ready)]})
    series = series_ids([SeriesKey(of.workload, "replicas").id])
    return Batch("replicas", now, series, {"wanted": np.array([float(ready)]), "pods": (pods,)})


class Queue:
    """A queue through the minutes: `drain` items/s a replica, as the log would tell it."""

    def __init__(self, drain: float, ready: int = 4, backlog: float = 1e6) -> None:
        self.drain, self.ready, self.backlog, self.now = drain, ready, backlog, START
        self.drains = Drains(RULES)

    def run(self, minutes: int, arrivals: float, commits: Noise = lambda n: 1.0) -> float:
        """The estimate after so many more minutes."""
        for number in range(minutes):
            self.now += MINUTE_MS
            worked = self.ready * self.drain * 60 * commits(number)
            self.backlog = max(0.0, self.backlog + 60 * arrivals - worked)
            self.drains.take_replicas(replicas(self.now, self.ready))
            self.drains.take_minute(self.minute(arrivals))
        return self.learnt

    def minute(self, arrivals: float) -> Batch:
        told = {BACKLOG: self.backlog, JOBS: arrivals, 7: 9.0}
        buckets = [Bucket(value, value, value, self.now, 1) for value in told.values()]
        return rollup_batch("minutes", self.now, list(told), buckets)

    @property
    def learnt(self) -> float:
        other, backlog, jobs = self.drains.learnt(RULES).tolist()
        assert np.isnan([other, jobs]).all(), "of a backlog only"
        return float(backlog)


@given(drain=st.floats(0.01, 100), arrivals=st.floats(0, 100), ready=st.integers(1, 50))
@settings(deadline=None, max_examples=30)
def test_a_steady_drain_is_found(drain: float, arrivals: float, ready: int) -> None:
    busy = 60 * (LEAST * SUMMED + 2) * ready * drain
    assert Queue(drain, ready, 2 * busy).run(LEAST * SUMMED + 1, arrivals) == pytest.approx(drain, rel=1e-3)


def test_nothing_is_learnt_before_enough_minutes() -> None:
    queue = Queue(2.0)
    assert np.isnan(queue.run(LEAST * SUMMED, 5.0))
    assert queue.run(1, 5.0) == pytest.approx(2.0)


def test_while_some_are_idle_nothing_is_learnt() -> None:
    """Arrivals below the capacity: all that comes is done, and says how much comes."""
    assert np.isnan(Queue(2.0, backlog=0.0).run(500, 5.0))


def test_what_is_left_must_be_a_minutes_work() -> None:
    """Consumers that commit every half a minute leave a backlog at any time, busy or not."""
    queue = Queue(2.0)
    queue.backlog = 4.0 * 30
    assert np.isnan(queue.run(500, 4.0, lambda n: 0.5))


@pytest.mark.parametrize("seed", range(5))
def test_lumps_of_commits_average_out(seed: int) -> None:
    """Jobs of five minutes on four replicas: as many commits a minute as a Poisson draw of 0.8."""
    rng = np.random.default_rng(seed)
    queue = Queue(1 / 300)
    found = queue.run(24 * 60, 0.0, lambda n: float(rng.poisson(0.8)) / 0.8)
    assert found == pytest.approx(1 / 300, rel=0.1)


@pytest.mark.parametrize("share", [0.0, 50.0])
def test_an_outage_and_a_jump_of_offsets_move_it_little(share: float) -> None:
    queue = Queue(2.0, backlog=1e8)
    queue.run(10 * 60, 5.0)
    assert queue.run(2 * 60, 5.0, lambda n: share) == pytest.approx(2.0, rel=1e-3)


def test_a_new_drain_is_learnt_within_a_busy_day() -> None:
    queue = Queue(2.0, backlog=1e7)
    queue.run(24 * 60, 5.0)
    queue.drain = 1.0
    assert queue.run(24 * 60, 5.0) == pytest.approx(1.0, rel=1e-3)


def test_a_minute_in_which_replicas_come_counts_them_half() -> None:
    queue = Queue(2.0)
    rng = np.random.default_rng(3)
    for _ in range(500):
        before, queue.ready = queue.ready, int(rng.integers(2, 9))
        after = queue.ready
        queue.run(1, 5.0, lambda n, mean=(before + after) / 2 / after: mean)  # type: ignore[misc]
    assert queue.learnt == pytest.approx(2.0, rel=1e-3)


def test_without_knowledge_of_what_runs_nothing_is_learnt() -> None:
    queue = Queue(2.0)
    queue.drains.take_replicas(replicas(START, 4, of=OTHER))
    for _ in range(500):
        queue.now += MINUTE_MS
        queue.backlog -= 60
        queue.drains.take_minute(queue.minute(5.0))
    assert np.isnan(queue.learnt)


@pytest.mark.parametrize("lost", [BACKLOG, JOBS])
def test_a_gap_says_nothing(lost: int) -> None:
    """Whatever happens in it: here a million items vanish."""
    queue = Queue(2.0, backlog=1e8)
    queue.run(LEAST * SUMMED + 1, 5.0)
    for _ in range(20):
        queue.backlog -= 1e6
        queue.now += MINUTE_MS
        whole = queue.minute(5.0)
        rows = [row for row, one in enumerate(whole.series.tolist()) if one != lost]
        columns = {name: whole.numbers(name)[rows] for name in whole.columns}
        queue.drains.take_minute(Batch("minutes", queue.now, whole.series[rows], columns))
        queue.run(SUMMED + 1, 5.0)
    assert queue.learnt == pytest.approx(2.0, rel=1e-3)


def test_a_correction_and_a_minute_told_twice_change_nothing() -> None:
    queue = Queue(2.0)
    for _ in range(LEAST * SUMMED + 1):
        queue.run(1, 5.0)
        queue.drains.take_minute(queue.minute(500.0))
    assert queue.learnt == pytest.approx(2.0)


def test_a_clock_set_back_begins_anew() -> None:
    queue = Queue(2.0)
    queue.run(5, 5.0)
    queue.now -= 24 * HOUR_MS
    assert queue.run(LEAST * SUMMED, 5.0) == pytest.approx(2.0)


def test_a_restart_recalls_what_was_learnt_and_new_minutes_outvote_it() -> None:
    queue = Queue(1.0, backlog=1e7)
    queue.drains.recall(RULES.signal_ids, np.array([NAN, 2.0, NAN]))
    assert queue.learnt == 2.0
    queue.drains.recall(RULES.signal_ids, np.array([NAN, NAN, NAN]))
    assert queue.run(SUMMED + 1, 5.0) == pytest.approx(2.0)
    assert queue.run(3 * RECALLED * SUMMED, 5.0) == pytest.approx(1.0)


def test_without_backlogs_there_is_nothing_to_learn() -> None:
    rules = compile_rules([OTHER])
    drains = Drains(rules)
    drains.take_minute(rollup_batch("minutes", START, [7], [Bucket(1.0, 1.0, 1.0, START, 1)]))
    drains.recall(rules.signal_ids, np.array([NAN]))
    assert np.isnan(drains.learnt(rules)).all()
