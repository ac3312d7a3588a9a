"""The predictor's loop on a real log: what it writes, when, and what it survives."""

import contextlib
import json
import logging
import math
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from cme.collector.records import describe
from cme.collector.rollup import Bucket, rollup_batch
from cme.core.batch import Batch
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.policy import ScalingPolicy
from cme.core.reasons import Reason
from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Chunk, LogFailed, Position
from cme.policies.standing import Standing
from predictor.records import HISTORY_CELLS
from tests.unit.predictor.stage import NAN, START, TICK, Stage, policy

WEB = policy("web")
PER_MINUTE = MINUTE_MS // TICK


def steady(since_ms: int) -> float:
    return 500.0


def failing(since_ms: int) -> float:
    return NAN


class Flaky:
    """A log that fails in the reads and appends that are named by the topic they are about."""

    def __init__(self, log: EmbeddedLog) -> None:
        self.log = log
        self.unreadable: set[int] = set()
        self.unwritable: set[str] = set()
        self.reads = 0
        self.read_batches: list[Batch] = []

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        self.reads += 1
        if self.reads in self.unreadable:
            raise LogFailed("disk I/O error")
        chunk = self.log.read(topics, after, limit)
        self.read_batches += chunk.batches
        return chunk

    def append(self, batches: Sequence[Batch]) -> Position:
        if self.unwritable & {batch.topic for batch in batches}:
            raise LogFailed("disk full")
        return self.log.append(batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)


async def test_every_tick_of_samples_is_decided_once(stage: Stage) -> None:
    stage.describe(WEB)
    predictor = stage.started()
    await stage.run(predictor, steady, 4)
    assert stage.decisions("value", WEB) == [(n * TICK, 500.0) for n in range(1, 5)]
    assert stage.decisions("value", WEB, "replicas")[-1] == (4 * TICK, 5.0)


async def test_a_turn_without_anything_new_writes_nothing(stage: Stage) -> None:
    stage.describe(WEB)
    predictor = stage.started()
    await stage.run(predictor, steady, 2)
    count = len(stage.batches("decisions"))
    for _ in range(5):
        stage.clock.advance(200)
        await predictor.turn()
    assert len(stage.batches("decisions")) == count


async def test_when_no_samples_come_it_still_decides_each_tick_and_says_stale(stage: Stage) -> None:
    stage.describe(WEB)
    predictor = stage.started()
    await stage.run(predictor, steady, 2)
    for _ in range(5):
        stage.clock.advance(TICK)
        await predictor.turn()
    values = stage.decisions("value", WEB)[-5:]
    assert [time for time, _ in values] == [(2 + n) * TICK for n in range(1, 6)]
    assert values[3][1] == 500.0
    assert math.isnan(values[4][1])
    assert int(stage.decisions("reasons", WEB)[-1][1]) & Reason.STALE


async def test_a_source_that_fails_is_decided_as_stale_not_as_zero(stage: Stage) -> None:
    stage.describe(WEB)
    predictor = stage.started()
    await stage.run(predictor, steady, 2)
    await stage.run(predictor, failing, 5)
    assert math.isnan(stage.decisions("value", WEB)[-1][1])
    assert math.isnan(stage.decisions("value", WEB, "replicas")[-1][1])


async def test_every_minute_has_a_forecast_and_every_fifth_a_place_in_the_past(stage: Stage) -> None:
    stage.describe(WEB)
    stage.past(steady, minutes=30)
    predictor = stage.started()
    await stage.run(predictor, steady, 11 * PER_MINUTE)
    forecasts = [batch for batch in stage.batches("forecasts") if batch.time_ms > START]
    assert forecasts[-1].time_ms == START + 10 * MINUTE_MS
    assert forecasts[-1].series.tolist() == [WEB.series(WEB.spec.signals[0]).id]
    past = stage.batches("forecast_history")
    assert [batch.time_ms - START for batch in past] == [0, 5 * MINUTE_MS, 10 * MINUTE_MS]
    assert len(past[0].columns) == len(HISTORY_CELLS)


async def test_the_forecast_of_the_newest_minute_is_in_the_next_decision(stage: Stage) -> None:
    stage.describe(WEB)
    stage.past(steady, minutes=200)
    predictor = stage.started()
    await stage.run(predictor, steady, 3 * PER_MINUTE)
    times = [int(time) - START for _, time in stage.decisions("predicted_ms", WEB)]
    assert times[-1] == 2 * MINUTE_MS  # the third closes ten seconds after its end
    assert stage.decisions("predicted", WEB)[-1][1] >= 500.0
    assert stage.metric("engine_series") == 1


async def test_two_policies_are_decided_in_one_record(stage: Stage) -> None:
    api = policy("api", "qps", "queue_backlog")
    stage.describe(WEB, api)
    predictor = stage.started()
    await stage.run(predictor, steady, 1)
    assert len(stage.batches("decisions")[-1].series) == 5
    for of in (WEB, api):
        assert stage.decisions("value", of, "replicas")[-1] == (TICK, 5.0)


async def test_a_withdrawn_policy_is_decided_no_more(stage: Stage) -> None:
    api = policy("api")
    stage.describe(WEB, api)
    predictor = stage.started()
    await stage.run(predictor, steady, 2)
    stage.withdraw(WEB)
    await stage.run(predictor, steady, 2)
    assert stage.decisions("value", WEB)[-1][0] == 2 * TICK
    assert stage.decisions("value", api)[-1][0] == 4 * TICK
    stage.withdraw(api)
    count = len(stage.batches("decisions"))
    await stage.run(predictor, steady, 2)
    assert len(stage.batches("decisions")) == count


async def test_a_changed_policy_keeps_the_memory_of_its_slow_scale_down(stage: Stage) -> None:
    stage.describe(WEB)
    predictor = stage.started()
    await stage.run(predictor, lambda _: 5_000.0, 4)
    stage.describe(policy("web", scaleDown={"window": "20m"}))
    await stage.run(predictor, steady, 4)
    assert stage.decisions("value", WEB)[-1] == (8 * TICK, 5_000.0)


async def test_a_policy_that_cannot_be_read_is_left_out_and_named(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    api = policy("api")
    stage.describe(WEB, api)
    predictor = stage.started()
    document = json.loads(describe([Standing.valid(WEB)], START)[0].texts("document")[0])
    document["spec"]["burst"] = 2
    stage.withdraw(WEB, json.dumps(document))
    await stage.run(predictor, steady, 1)
    assert stage.decisions("value", WEB)[1:] == []
    assert stage.decisions("value", api)[-1] == (TICK, 500.0)
    assert any("policy shop/web is left out" in r.getMessage() for r in caplog.records)


async def test_a_missing_signal_counts_only_above_what_runs(stage: Stage) -> None:
    stage.describe(WEB, policy("api", "qps", "queue_backlog"))
    (web, api) = stage.policies
    predictor = stage.started()
    stage.policies = (web,)
    await stage.run(predictor, steady, 1)
    assert math.isnan(stage.decisions("value", api, "replicas")[-1][1])
    stage.policies = (policy("api", "qps"),)
    stage.replicas(api, wanted=4.0)
    await stage.run(predictor, steady, 1)
    assert stage.decisions("value", api, "replicas")[-1][1] == 5.0
    stage.replicas(api, wanted=5.0)
    await stage.run(predictor, steady, 1)
    assert math.isnan(stage.decisions("value", api, "replicas")[-1][1])


@pytest.mark.parametrize("broken", [{1}, {2}, {3}])
async def test_a_policy_is_not_lost_when_the_log_fails_behind_it(broken: set[int], stage: Stage) -> None:
    flaky = Flaky(stage.log)
    stage.describe(WEB)
    predictor = stage.started(flaky)
    stage.describe(WEB, policy("api"))
    flaky.unreadable = {flaky.reads + n for n in broken}
    with pytest.raises(LogFailed):
        await stage.run(predictor, steady, 1)
    await stage.run(predictor, steady, 1)
    assert stage.decisions("value", policy("api"))[-1] == (2 * TICK, 500.0)


async def test_a_forecast_that_could_not_be_written_is_written_later(stage: Stage) -> None:
    flaky = Flaky(stage.log)
    stage.describe(WEB)
    stage.past(steady, minutes=30)
    predictor = stage.started(flaky)
    await stage.run(predictor, steady, 5 * PER_MINUTE)
    flaky.unwritable = {"forecasts"}
    with pytest.raises(LogFailed):
        await stage.run(predictor, steady, 1)
    flaky.unwritable = set()
    await predictor.turn()
    assert [b.time_ms - START for b in stage.batches("forecast_history")] == [0, 5 * MINUTE_MS]
    assert stage.batches("forecasts")[-1].time_ms == START + 5 * MINUTE_MS


async def test_a_damaged_record_is_counted_and_all_others_count(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.describe(WEB)
    predictor = stage.started()
    stage.sample(lambda _: 700.0)
    stage.sample(steady)
    with contextlib.closing(sqlite3.connect(stage.folder / FILE)) as db, db:
        rows = db.execute("SELECT seq, body FROM records ORDER BY seq").fetchall()
        seq, body = rows[-2]
        db.execute("UPDATE records SET body = ? WHERE seq = ?", (body[:-1] + b"\xff", seq))
    await predictor.turn()
    assert stage.decisions("value", WEB)[-1] == (2 * TICK, 500.0)
    assert stage.metric("log_damaged_records_total") == 1
    assert any(f"record {seq}" in r.getMessage() for r in caplog.records if r.levelno == logging.ERROR)


async def test_without_policies_it_writes_nothing(stage: Stage) -> None:
    stage.describe()
    predictor = stage.started()
    for _ in range(3):
        stage.clock.advance(TICK)
        await predictor.turn()
    assert stage.batches("decisions") == stage.batches("forecasts") == []


async def test_a_start_does_not_read_what_ran_long_ago(stage: Stage) -> None:
    stage.describe(WEB)
    for _ in range(10):
        stage.replicas(WEB, wanted=3.0)
        stage.clock.advance(MINUTE_MS)
    flaky = Flaky(stage.log)
    stage.started(flaky)
    read = [batch.time_ms for batch in flaky.read_batches if batch.topic == "replicas"]
    assert min(read) >= stage.clock.now_ms() - 3 * MINUTE_MS
    assert len(read) == 3


async def test_after_the_clock_was_set_back_new_samples_are_decided(stage: Stage) -> None:
    stage.describe(policy("web", scaleDown={"window": "0s"}))
    predictor = stage.started()
    await stage.run(predictor, lambda _: 5_000.0, 2)
    stage.clock.step_wall(-HOUR_MS)
    await stage.run(predictor, steady, 1)
    assert stage.decisions("raw", WEB)[-1][1] == 500.0


async def test_time_to_decide_and_to_learn_is_measured(stage: Stage) -> None:
    stage.describe(WEB)
    stage.past(steady, minutes=30)
    predictor = stage.started()
    steps = stage.metric("engine_step_seconds_count")
    assert steps == 6
    await stage.run(predictor, steady, 2)
    assert stage.metric("decide_seconds_count") == 2


async def test_the_log_is_full_is_a_fault_of_the_turn_and_not_its_end(stage: Stage) -> None:
    flaky = Flaky(stage.log)
    stage.describe(WEB)
    predictor = stage.started(flaky)
    flaky.unwritable = {"decisions"}
    with pytest.raises(LogFailed):
        await stage.run(predictor, steady, 1)
    flaky.unwritable = set()
    await stage.run(predictor, steady, 1)
    assert stage.decisions("value", WEB)[-1] == (2 * TICK, 500.0)


async def test_columns_of_a_decision_are_of_one_length(stage: Stage) -> None:
    stage.describe(WEB, policy("api", "qps", "queue_backlog"))
    predictor = stage.started()
    stage.clock.advance(TICK)
    await predictor.turn()
    (batch,) = stage.batches("decisions")
    assert {len(column) for column in batch.columns.values()} == {5}
    assert np.isnan(batch.numbers("value")).all()


def busy_queue(stage: Stage, of: ScalingPolicy, minutes: int) -> None:
    """Four replicas get through 2 items/s each while 5 items/s arrive."""
    series = [of.series(signal).id for signal in of.spec.signals]
    for number in range(minutes):
        stage.clock.advance(MINUTE_MS)
        now, left = stage.clock.now_ms(), 1e6 - 180.0 * number
        stage.replicas(of, wanted=4.0, ready=4)
        buckets = [Bucket(value, value, value, now, 1) for value in (left, 5.0)]
        stage.log.append([rollup_batch("minutes", now, series, buckets)])


async def test_what_a_replica_gets_through_is_learnt_and_comes_back_from_the_decisions(stage: Stage) -> None:
    jobs: dict[str, Any] = {"name": "jobs", "source": {"x": {}}, "perReplica": 10}
    backlog = jobs | {"name": "queue_backlog", "drain": {"within": "10m", "arrivals": "jobs"}}
    queue = policy("queue", signals=[backlog, jobs])
    stage.describe(queue)
    predictor = stage.started()
    busy_queue(stage, queue, 41)
    await predictor.turn()
    assert stage.decisions("drain", queue, "queue_backlog")[-1][1] == pytest.approx(2.0)
    assert math.isnan(stage.decisions("drain", queue, "jobs")[-1][1])
    restarted = stage.started()
    stage.clock.advance(TICK)
    await restarted.turn()
    before, after = stage.decisions("drain", queue, "queue_backlog")
    assert after[0] == before[0] + TICK
    assert after[1] == pytest.approx(2.0)


def hours(stage: Stage, of: ScalingPolicy, days: int) -> None:
    """A past that has a value once an hour up to eight in the morning: busy by day, but for Sundays."""
    series = [of.series(of.spec.signals[0]).id]
    for end in range(START - 24 * days * HOUR_MS, START + 1, HOUR_MS):
        sunday, hour = (end - 1) // DAY_MS % 7 == 3, (end - 1) // HOUR_MS % 24
        load = 1_000.0 if 8 <= hour < 20 and not sunday else 100.0
        stage.log.append([rollup_batch("minutes", end, series, [Bucket(load, load, load, end, 1)])])


async def test_the_days_of_a_policy_are_those_of_its_forecast_from_the_start(stage: Stage) -> None:
    free = policy("web", holidays=[f"{datetime.fromtimestamp(START / 1000, UTC):%Y-%m-%d}"])
    hours(stage, WEB, days=6)
    found = []
    for one in (WEB, free):
        stage.describe(one)
        stage.started()
        (stage.folder / "engine.state").unlink()
        found.append(stage.batches("forecasts")[-1].numbers("at.360m.q50")[0])
    working, holiday = found
    assert holiday < 300 < 600 < working
