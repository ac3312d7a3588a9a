"""A log that is told anew gives the decisions that it records."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from adapter.replay.recorded import Retold, differences, retold
from cme.core.batch import Batch
from cme.core.settings import Settings
from cme.log.protocol import Position
from tests.unit.predictor.stage import NAN, TICK, Stage, policy

SETTINGS = Settings.model_validate({"tick": "15s"})


def story(at_ms: int) -> float:
    """A wave of an hour, with a source that fails for two minutes."""
    minute = at_ms / 60_000
    return NAN if 20 <= minute < 22 else 1000 + 600 * math.sin(minute / 10) + 40 * (minute % 7)


def test_the_same_decisions_follow_from_the_same_log(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "live")
    made = policy(
        "web",
        "qps",
        "bandwidth_in",
        schedules=[{"name": "s", "start": "30 * * * *", "duration": "5m", "minReplicas": 30}],
    )
    stage.describe(made)
    predictor = stage.started()

    async def live() -> None:
        for turn in range(60):
            stage.replicas(made, 10 + turn % 5)
            await stage.run(predictor, story, 4)
            if turn % 10 == 5:  # no sample comes within a tick
                stage.clock.advance(TICK)
                await predictor.turn()

    asyncio.run(live())
    found = list(retold(stage.log, SETTINGS, tmp_path / "copy"))
    assert len(found) == len(stage.batches("decisions")) >= 240
    assert [differences(one) for one in found] == [[]] * len(found)
    assert any(np.isfinite(one.made.numbers("predicted")).any() for one in found)


def test_samples_that_came_while_it_was_decided_are_told_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has them before a decision that does not know them."""
    stage = Stage(tmp_path / "live")
    stage.describe(policy("web", "qps"))
    predictor, append = stage.started(), stage.log.append

    def raced(batches: Sequence[Batch]) -> Position:
        monkeypatch.undo()
        stage.sample(story)
        return append(batches)

    async def live() -> None:
        await stage.run(predictor, story, 10)
        stage.clock.advance(TICK)
        monkeypatch.setattr(stage.log, "append", raced)
        await predictor.turn()
        await stage.run(predictor, story, 10)

    asyncio.run(live())
    found = list(retold(stage.log, SETTINGS, tmp_path / "copy"))
    assert len(found) == 21
    assert [differences(one) for one in found] == [[]] * len(found)


def test_what_differs_is_named() -> None:
    def batch(time_ms: int, value: float, **more: float) -> Batch:
        columns = {"value": np.array([value]), **{name: np.array([one]) for name, one in more.items()}}
        return Batch("decisions", time_ms, np.array([7], dtype=np.uint64), columns)

    assert differences(Retold(batch(1, NAN), batch(1, NAN))) == []
    assert differences(Retold(batch(1, 2.0), batch(2, 3.0))) == ["time_ms", "value"]
    assert differences(Retold(batch(1, 2.0, need=1.0), batch(1, 2.0))) == ["need"]
    other = Batch("decisions", 1, np.array([8], dtype=np.uint64), {"value": np.array([2.0])})
    assert differences(Retold(batch(1, 2.0), other)) == ["series"]
