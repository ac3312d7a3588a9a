"""A predictor that was stopped, killed or robbed of its checkpoint goes on as if nothing had been."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cme.core.batch import Batch
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.policy import ScalingPolicy
from cme.core.reasons import Reason
from cme.log.protocol import Chunk, Log, LogFailed, Position
from cme.runtime.telemetry import PredictorTelemetry
from predictor import checkpoint
from predictor.learner import Learner
from predictor.runner import Predictor
from tests.unit.predictor.stage import START, TICK, Stage, Story, policy

PER_MINUTE = MINUTE_MS // TICK
MORE = 8 * PER_MINUTE
CHECKPOINT = "engine.state"


def tide(since_ms: int) -> float:
    """A day's wave with a burst of ten minutes' echo: what the slow scale-down must remember."""
    burst = 4_000 if 12 * MINUTE_MS < since_ms <= 14 * MINUTE_MS else 0
    return 1_000 + 300 * math.sin(since_ms / 3_600_000) + 40 * math.sin(since_ms / 70_000) + burst


WEB = policy("web", forecast={"lead": "20m", "quantile": 0.9})
EAGER = policy("eager", scaleDown={"window": "0s"})
SLOW = policy("slow", scaleDown={"window": "1m", "maxDecrease": "5%/2m"})
POLICIES = (WEB, EAGER, SLOW)


def stopped(stage: Stage, predictor: Predictor) -> None:
    predictor.save()


def killed(stage: Stage, predictor: Predictor) -> None:
    """It saved nothing since its last checkpoint."""


def robbed(stage: Stage, predictor: Predictor) -> None:
    (stage.folder / CHECKPOINT).unlink()


def damaged(stage: Stage, predictor: Predictor) -> None:
    content = bytearray((stage.folder / CHECKPOINT).read_bytes())
    content[len(content) // 2] ^= 1
    (stage.folder / CHECKPOINT).write_bytes(content)


End = Callable[[Stage, Predictor], None]


@dataclass(frozen=True)
class Told:
    decisions: list[Batch]
    forecasts: list[Batch]  # those that are kept, of every fifth minute


async def tell(
    folder: Path, policies: Sequence[ScalingPolicy], load: Story, ticks: int, end: End | None = None
) -> Told:
    """What a predictor writes within `ticks` and eight minutes more; after `ticks` it may come to an end."""
    stage = Stage(folder)
    with contextlib.closing(stage.log):
        stage.describe(*policies)
        stage.past(load, minutes=200)
        predictor = stage.started()
        await stage.run(predictor, load, ticks)
        if end:
            end(stage, predictor)
            predictor = stage.started()
        await stage.run(predictor, load, MORE)
        return Told(stage.batches("decisions"), stage.batches("forecast_history"))


def assert_same(ours: Sequence[Batch], theirs: Sequence[Batch], ticks: int) -> None:
    """From the restart on, as far as both go."""
    until, after = ours[-1].time_ms, START + ticks * TICK
    pairs = [[b for b in batches if after < b.time_ms <= until] for batches in (ours, theirs)]
    assert pairs[0]
    for one, other in zip(*pairs, strict=True):
        assert (one.time_ms, one.series.tolist()) == (other.time_ms, other.series.tolist())
        for name in one.columns:
            np.testing.assert_array_equal(one.numbers(name), other.numbers(name), err_msg=name)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What one wrote that never stopped."""
    return asyncio.run(tell(tmp_path_factory.mktemp("steady"), POLICIES, tide, 19 * PER_MINUTE))


@pytest.mark.parametrize("end", [stopped, killed, robbed, damaged])
@pytest.mark.parametrize(
    "ticks",
    [
        pytest.param(15 * PER_MINUTE, id="before a beat closes"),
        pytest.param(15 * PER_MINUTE + 1, id="as a beat has closed"),
        pytest.param(18 * PER_MINUTE + 2, id="within a beat"),
    ],
)
async def test_what_follows_is_the_same_as_of_one_that_never_stopped(
    ticks: int, end: End, steady: Told, tmp_path: Path
) -> None:
    restarted = await tell(tmp_path, POLICIES, tide, ticks, end)
    assert_same(restarted.decisions, steady.decisions, ticks)
    assert_same(restarted.forecasts, steady.forecasts, ticks)


async def test_a_long_slow_decrease_keeps_its_pace_over_a_restart(tmp_path: Path) -> None:
    def falling(since_ms: int) -> float:
        return 10_000 if since_ms < 3 * MINUTE_MS else 10

    ticks = 21 * PER_MINUTE + 1
    one = await tell(tmp_path / "steady", [SLOW], falling, ticks)
    other = await tell(tmp_path / "restarted", [SLOW], falling, ticks, killed)
    assert_same(other.decisions, one.decisions, ticks)


def test_a_damaged_checkpoint_is_said_aloud(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.describe(WEB)
    stage.past(tide, minutes=30)
    damaged(stage, stage.started())
    caplog.clear()
    stage.started()
    assert "engine.state is damaged; what it held is learnt anew" in caplog.text


def test_a_missing_checkpoint_is_said_aloud(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage.describe(WEB)
    stage.past(tide, minutes=30)
    stage.started()
    assert "engine.state is not there; what it would hold is learnt anew" in caplog.text
    caplog.clear()
    stage.started()
    assert "engine.state" not in caplog.text


def test_a_checkpoint_of_another_version_is_said_aloud(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.describe(WEB)
    stage.past(tide, minutes=30)
    stage.started()
    checkpoint.save(stage.folder / CHECKPOINT, {"counters": np.array([99, 0, 0, 0, 0])})
    stage.started()
    assert "engine.state: state version 99 is not" in caplog.text
    assert stage.metric("engine_series") == 1


async def test_a_start_that_is_cut_short_goes_on_from_there(stage: Stage) -> None:
    class CutShortError(Exception):
        pass

    stage.describe(WEB)
    stage.past(tide, minutes=3_000)
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        if len(seen) == 2:
            raise CutShortError

    predictor = stage.process()
    with pytest.raises(CutShortError):
        predictor.start(progress)
    predictor.save()
    left: list[tuple[int, int]] = []
    stage.process().start(lambda done, total: left.append((done, total)))
    assert seen[0][0] < seen[1][0] < seen[1][1]
    assert left[-1][0] == left[-1][1] < 2_100
    assert [done for done, _ in left] == sorted(done for done, _ in left)


@pytest.mark.parametrize(("minutes", "held"), [(15, True), (300, True), (500, False)])
async def test_a_downtime_counts_as_holding_until_it_says_nothing_of_what_runs(
    minutes: int, held: bool, stage: Stage
) -> None:
    stage.describe(SLOW)
    predictor = stage.started()
    for _ in range(3):
        stage.sample(lambda since_ms: 10_000)
        await predictor.turn()
    stage.clock.advance(minutes * MINUTE_MS)
    restarted = stage.started()
    stage.sample(lambda since_ms: 10)
    await restarted.turn()
    value = stage.batches("decisions")[-1].numbers("value")[0]
    assert (value >= 10_000) == held


class LastingLog:
    """A log whose reads fail while `broken`."""

    def __init__(self, log: Log) -> None:
        self.log, self.broken = log, False

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        if self.broken:
            raise LogFailed("the disk is away")
        return self.log.read(topics, after, limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)


def relearned(stage: Stage) -> bool:
    return stage.metric("engine_learned_ratio") == 1


async def test_a_log_that_fails_does_not_end_the_learning_of_the_past(stage: Stage) -> None:
    stage.describe(WEB)
    stage.past(tide, minutes=1_000)
    log = LastingLog(stage.log)
    learner = Learner(PredictorTelemetry(stage.new_registry()), stage.folder)
    learner.restore(log, stage.clock.now_ms(), lambda done, total: None)
    turns = iter(range(75))
    learner.relearn(lambda: next(turns, None) is None)
    log.broken = True
    with pytest.raises(LogFailed):
        learner.relearn(lambda: False)
    assert not relearned(stage)
    log.broken = False
    learner.relearn(lambda: False)
    assert relearned(stage)


@pytest.mark.parametrize("learned", [False, True])
async def test_a_checkpoint_says_whether_the_past_is_still_to_be_learned(learned: bool, stage: Stage) -> None:
    stage.describe(WEB)
    stage.past(tide, minutes=1_000)
    first = Learner(PredictorTelemetry(stage.new_registry()), stage.folder)
    first.restore(stage.log, stage.clock.now_ms(), lambda done, total: None)
    if learned:
        first.relearn(lambda: False)
    first.save()
    again = Learner(PredictorTelemetry(stage.new_registry()), stage.folder)
    again.restore(stage.log, stage.clock.now_ms(), lambda done, total: None)
    assert relearned(stage) == learned


@pytest.mark.parametrize("back", [2 * HOUR_MS, 3 * DAY_MS])
async def test_a_clock_that_was_far_ahead_is_forgotten(back: int, stage: Stage) -> None:
    stage.describe(WEB)
    stage.past(tide, minutes=200)
    predictor = stage.started()
    stage.clock.step_wall(back)
    await stage.run(predictor, lambda since_ms: 77_777, 12 * PER_MINUTE)
    stage.clock.step_wall(-back)
    await stage.run(predictor, tide, 4 * PER_MINUTE)
    forecast = stage.batches("forecasts")[-1]
    assert forecast.time_ms == stage.clock.now_ms() // MINUTE_MS * MINUTE_MS - MINUTE_MS
    assert forecast.numbers("max.60m.q99")[0] < 20_000
    restarted = stage.started()
    await stage.run(restarted, tide, 1)
    assert stage.batches("forecasts")[-1].numbers("max.60m.q99")[0] < 20_000


async def test_a_clock_that_was_an_hour_ahead_is_waited_for(stage: Stage) -> None:
    stage.describe(policy("web", scaleDown={"window": "0s"}))
    stage.past(tide, minutes=30)
    predictor = stage.started()
    stage.clock.step_wall(HOUR_MS // 2)
    await stage.run(predictor, tide, 3 * PER_MINUTE)
    stage.clock.step_wall(-HOUR_MS // 2)
    await stage.run(predictor, lambda since_ms: 500.0, 5 * PER_MINUTE)
    value, reasons = (stage.decisions(column, WEB)[-1][1] for column in ("value", "reasons"))
    assert value == 500.0  # the measured one, and it says why
    assert int(reasons) & Reason.FORECAST_STALE
    await stage.run(predictor, lambda since_ms: 500.0, 31 * PER_MINUTE)
    assert not int(stage.decisions("reasons", WEB)[-1][1]) & Reason.FORECAST_STALE
