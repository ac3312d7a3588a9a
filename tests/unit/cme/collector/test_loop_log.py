"""What the collector owes the log: nothing lost that it can keep, and whole minutes across a restart."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cme.core.batch import Batch
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.readings import Harvest, Reading
from cme.log.protocol import LogFailed
from cme.policies.standing import Fate, Origin, Standing
from cme.sources.protocol import SourceFailed
from tests.unit.cme.collector.stage import (
    START,
    RefusingLog,
    Stage,
    ids,
    policy,
    raising,
    scripted,
    steady,
)
from tests.unit.cme.collector.test_rollup import Row, rows

SHOP = policy("shop", scripted("one"))
SOURCE = "default/script:one"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Errors that the test itself causes."""
    caplog.set_level(logging.CRITICAL)


async def falling(now_ms: int) -> Harvest:
    """A value that follows from the time, so that a run can be compared with another."""
    return Harvest([Reading("one", float((now_ms - START) // 1000 % 977), now_ms)], {"": 1})


def times(batches: Sequence[Batch]) -> list[int]:
    return [batch.time_ms - START for batch in batches]


async def test_a_log_that_refuses_loses_nothing(stage: Stage) -> None:
    stage.script, log = {"one": falling}, RefusingLog(stage.log)
    collector = await stage.start(SHOP, log=log)
    await stage.ticks(collector, 1)
    log.error = LogFailed("the disk is full")
    await stage.ticks(collector, 20)
    assert stage.metric("batches_unwritten") == 21  # a minute among them
    assert times(stage.batches("samples")) == [5_000]
    log.error = None
    await stage.ticks(collector, 1)
    assert times(stage.batches("samples")) == [5_000 * tick for tick in range(1, 23)]
    assert [row.samples for row in rows(stage.batches("minutes"))] == [12]
    assert stage.metric("batches_unwritten") == 0
    assert stage.metric("batches_dropped_total", topic="samples") is None


async def test_a_log_that_takes_its_time_holds_up_no_tick(stage: Stage) -> None:
    stage.script, log = {"one": falling}, RefusingLog(stage.log)
    collector = await stage.start(SHOP, log=log)
    log.open.clear()
    await stage.ticks(collector, 3)
    assert times(stage.batches("samples")) == []
    log.open.set()
    await stage.ticks(collector, 2)
    await collector.close()
    assert times(stage.batches("samples")) == [5_000 * tick for tick in range(1, 6)]


async def test_ticks_that_are_left_out_are_counted(stage: Stage) -> None:
    stage.script = {"one": steady(5.0)}
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 3, 1_000)
    assert stage.metric("ticks_skipped_total") == 0
    await stage.ticks(collector, 1, 4_000)
    assert stage.metric("ticks_skipped_total") == 3


async def test_what_waits_for_the_log_is_bounded_and_the_oldest_go_counted(stage: Stage) -> None:
    stage.script, log = {"one": steady(5.0)}, RefusingLog(stage.log)
    await stage.ticks(await stage.start(SHOP), 1)
    size = stage.batches("samples")[-1].nbytes
    collector = await stage.start(SHOP, log=log, unwritten=5 * size)
    log.error = LogFailed("the disk is full")
    await stage.ticks(collector, 8)
    assert stage.metric("batches_unwritten") == 5
    assert stage.metric("batches_dropped_total", topic="samples") == 3
    assert log.largest == 6
    log.error = None
    await stage.ticks(collector, 1)
    assert times(stage.batches("samples")) == [5_000, *(5_000 * tick for tick in range(5, 11))]


async def test_a_batch_that_can_never_be_written_does_not_block_those_that_follow(stage: Stage) -> None:
    stage.script, log = {"one": steady(5.0)}, RefusingLog(stage.log)
    collector = await stage.start(SHOP, log=log)
    log.error = ValueError("a bug")
    await stage.ticks(collector, 1)
    assert stage.metric("batches_unwritten") == 0
    assert stage.metric("batches_dropped_total", topic="samples") == 1
    log.error = None
    await stage.ticks(collector, 1)
    assert times(stage.batches("samples")) == [10_000]


async def test_the_policies_and_their_series_are_described(stage: Stage) -> None:
    await stage.start(SHOP)
    (described,) = stage.log.newest("policies")
    assert described.key == "default/shop"
    assert json.loads(described.texts("document")[0]) == SHOP.model_dump(mode="json", by_alias=True)
    (series,) = stage.log.newest("series")
    assert series.series.tolist() == ids(SHOP)
    names = ("namespace", "group", "kind", "name", "signal", "unit")
    assert [series.texts(name)[0] for name in names] == ["default", "apps", "Deployment", "shop", "a", "1"]


async def test_a_policy_that_is_withdrawn_gets_one_tombstone(stage: Stage) -> None:
    media = policy("media", scripted("two"))
    await stage.start(SHOP, media)
    for _ in range(2):
        await stage.start(SHOP)
        newest = {batch.key: batch for batch in stage.log.newest("policies")}
        assert newest["default/media"].texts("document") == ("",)
        assert newest["default/shop"].texts("document") != ("",)
    assert [b.key for b in stage.batches("policies")].count("default/media") == 2
    await stage.start(SHOP, media)
    assert stage.log.newest("policies", "default/media")[-1].texts("document") != ("",)


async def test_the_epoch_grows_with_every_start_whatever_the_clock_does(stage: Stage) -> None:
    stage.script = {"one": steady(5.0)}
    for step in (0, 60_000, -3_000_000, -10_000, 0):
        stage.clock.step_wall(step)
        await stage.ticks(await stage.start(SHOP), 2)
    epochs = [batch.epoch for batch in stage.batches("samples")]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 5


async def test_what_the_collector_says_of_a_source(stage: Stage) -> None:
    stage.script = {"one": steady(5.0)}
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 1)
    success = (START + 5_000) / 1000
    assert stage.metric("source_success", source=SOURCE) == 1
    assert stage.metric("source_last_success_timestamp_seconds", source=SOURCE) == success
    stage.script["one"] = raising(SourceFailed("down"))
    await stage.ticks(collector, 3)
    assert stage.metric("source_success", source=SOURCE) == 0
    assert stage.metric("source_last_success_timestamp_seconds", source=SOURCE) == success
    assert stage.metric("source_read_seconds_count", source=SOURCE) == 4


async def test_what_the_collector_says_of_a_signal(stage: Stage) -> None:
    async def say(now_ms: int) -> Harvest:
        values = [1.0] * 8 + [float("nan"), -1.0]
        return Harvest([Reading(str(i), v, now_ms) for i, v in enumerate(values)], {"": 10})

    stage.script = {"one": say}
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 2)
    workload = {"workload": "default/Deployment.apps/shop", "signal": "a"}
    assert stage.metric("signal_coverage", **workload) == pytest.approx(0.8)
    assert stage.metric("samples_refused_total", reason="nan") == 2
    assert stage.metric("samples_refused_total", reason="negative") == 2
    stage.script["one"] = raising(SourceFailed("down"))
    await stage.ticks(collector, 1)
    assert stage.metric("signal_coverage", **workload) == 0


async def test_a_sample_that_comes_after_its_minute_is_final_is_counted(stage: Stage) -> None:
    stage.script = {"one": falling}
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 60)

    async def late(now_ms: int) -> Harvest:
        return Harvest([Reading("one", now_ms / 1e9, START + 1)], {"": 1})

    stage.script["one"] = late
    await stage.ticks(collector, 3)
    assert stage.metric("samples_late_total") == 3
    assert [row for row in rows(stage.batches("minutes")) if row.end == MINUTE_MS][1:] == []


async def hourly(now_ms: int) -> Harvest:
    """A sensor that measures once an hour and tells its last value at every question."""
    measured = now_ms // HOUR_MS * HOUR_MS
    return Harvest([Reading("one", float(measured % 7), measured)], {"": 1})


async def test_an_hours_value_that_is_told_at_every_tick_is_one_sample(stage: Stage) -> None:
    stage.script = {"one": hourly}
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 3 * 60, MINUTE_MS)
    assert [row.end for row in rows(stage.batches("minutes"))] == [0, HOUR_MS, 2 * HOUR_MS]
    assert {row.samples for row in rows(stage.batches("minutes"))} == {1}
    assert stage.metric("samples_late_total") == 0


async def test_a_sample_of_every_second_counts(stage: Stage) -> None:
    stage.script = {"one": falling}
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 200, 1_000)
    assert [row.samples for row in rows(stage.batches("minutes"))] == [60, 60, 60]


@pytest.mark.parametrize("back", [HOUR_MS, 3 * DAY_MS])
async def test_a_clock_that_was_ahead_does_not_keep_out_the_time_until_then(back: int, stage: Stage) -> None:
    stage.script = {"one": falling}
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 20, MINUTE_MS)
    stage.clock.step_wall(back)
    await stage.ticks(collector, 20, MINUTE_MS)
    stage.clock.step_wall(-back)
    await stage.ticks(collector, 70, MINUTE_MS)
    ends = [row.end // MINUTE_MS for row in rows(stage.batches("minutes"))]
    since = 42 if back > HOUR_MS else 100  # an hour is waited for
    assert set(range(since, 108)) <= set(ends)


async def minutes_and_hours(stage: Stage, pauses: Sequence[int], ms: int) -> list[Row]:
    """What a run writes that is restarted after each tick whose number is in `pauses`."""
    stage.script = {"one": falling}
    collector = await stage.start(SHOP)
    for tick in range(1, 2 * HOUR_MS // ms + 20):
        if tick in pauses:
            await collector.close()
            collector = await stage.start(SHOP)
        await stage.ticks(collector, 1, ms)
    return rows(stage.batches("minutes") + stage.batches("hours"))


@pytest.fixture(scope="module")
def undisturbed() -> list[Row]:
    """Filled by the first example."""
    return []


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.integers(1, 256), max_size=6))
async def test_restarts_change_no_minute_and_no_hour(
    pauses: list[int],
    undisturbed: list[Row],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(pauses: Sequence[int]) -> list[Row]:
        stage = Stage(tmp_path_factory.mktemp("log"), monkeypatch)
        try:
            return await minutes_and_hours(stage, pauses, 30_000)
        finally:
            stage.log.close()

    if not undisturbed:
        undisturbed += await run([])
        assert {row.samples for row in undisturbed} == {2, 120}
    assert await run(pauses) == undisturbed


@pytest.mark.parametrize("minutes_down", [1, 40, 200])
async def test_after_a_long_pause_the_open_minute_and_hour_are_written_as_they_were(
    minutes_down: int, stage: Stage
) -> None:
    stage.script = {"one": falling}
    await stage.ticks(await stage.start(SHOP), 150, 30_000)  # until 01:15:00
    stage.clock.advance(minutes_down * MINUTE_MS)
    collector = await stage.start(SHOP)
    await stage.ticks(collector, 260, 30_000)
    hours = {row.end: row.samples for row in rows(stage.batches("hours"))}
    in_the_second_hour = 30 + {1: 88, 40: 10, 200: 0}[minutes_down]
    assert hours[HOUR_MS] == 120
    assert hours[2 * HOUR_MS] == in_the_second_hour
    ends = [row.end for row in rows(stage.batches("minutes"))]
    assert len(ends) == len(set(ends))
    assert [row.samples for row in rows(stage.batches("minutes")) if row.end == 75 * MINUTE_MS] == [2]
    assert stage.metric("samples_late_total") == 0


async def counting(now_ms: int) -> Harvest:
    """A counter that grows by 3 a second."""
    return Harvest([Reading("one", 3.0 * (now_ms - START) / 1000, now_ms)], {"": 1}, counters=True)


async def test_a_change_of_policies_makes_no_gap_in_what_did_not_change(stage: Stage) -> None:
    stage.script = {"one": counting, "two": steady(5.0), "three": steady(7.0)}
    media, late = policy("media", scripted("two")), policy("late", scripted("three"))
    collector = await stage.start(SHOP, media)
    await stage.ticks(collector, 3)
    collector.follow([Standing.valid(SHOP), Standing.valid(late)])
    await stage.ticks(collector, 1)
    assert stage.newest() == {ids(SHOP)[0]: (3.0, ""), ids(late)[0]: (7.0, "")}
    assert stage.closed == ["two"]
    assert stage.metric("source_success", source="default/script:two") is None
    newest = {batch.key: batch.texts("document")[0] for batch in stage.log.newest("policies")}
    assert newest["default/media"] == ""
    assert newest["default/late"] != ""
    told = len(stage.batches("policies"))
    collector.follow([Standing.valid(SHOP), Standing.valid(late)])
    await stage.ticks(collector, 1)
    assert len(stage.batches("policies")) == told


async def test_a_policy_that_is_refused_is_told_with_its_problem(stage: Stage) -> None:
    stage.script = {"one": steady(5.0)}
    collector = await stage.start(SHOP)
    kept = replace(Standing.valid(SHOP), fate=Fate.INVALID, problem="spec.signals: too short")
    new = Standing("default/new", Origin.CLUSTER, None, Fate.CONFLICT, "there is another")
    collector.follow([kept, new])
    await stage.ticks(collector, 1)
    newest = {batch.key: batch for batch in stage.log.newest("policies")}
    assert [newest[key].texts("problem")[0] for key in (kept.key, new.key)] == [kept.problem, new.problem]
    assert newest[SHOP.key].texts("document")[0] != ""
    assert newest[new.key].texts("document")[0] == ""
    await stage.start(SHOP)
    newest = {batch.key: batch for batch in stage.log.newest("policies")}
    assert [newest[key].texts("problem")[0] for key in (kept.key, new.key)] == ["", ""]


async def test_while_the_log_refuses_a_change_of_policies_waits(stage: Stage) -> None:
    stage.script, log = {"one": steady(5.0)}, RefusingLog(stage.log)
    collector = await stage.start(SHOP, log=log)
    log.error = LogFailed("the disk is full")
    collector.follow([])
    await stage.ticks(collector, 1)
    log.error = None
    await stage.ticks(collector, 1)
    assert stage.log.newest("policies", SHOP.key)[0].texts("document")[0] == ""
