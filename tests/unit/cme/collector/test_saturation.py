"""Loads that are lower bounds, from a policy's limit to the records of the log."""

import json

import numpy as np
import pytest

from cme.collector.saturation import Saturation
from cme.core.batch import Batch, series_ids
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.core.readings import REPLICAS_STALE_MS, Flag, Total
from tests.unit.cme.collector.stage import START, Stage, policy, scripted, steady


def limited(above: str | None) -> ScalingPolicy:
    """Of a signal of which a replica carries no more than `above`."""
    made = policy("web", scripted("one"))
    signal = made.spec.signals[0].model_copy(update={"saturated_above": above and float(above)})
    return made.model_copy(update={"spec": made.spec.model_copy(update={"signals": (signal,)})})


def told(of: ScalingPolicy, pods: int, now: int = START) -> Batch:
    text = json.dumps({"labels": [{}], "pods": [[f"web-{n}", 0] for n in range(pods)]})
    ids = series_ids([SeriesKey(of.workload, "replicas").id])
    return Batch("replicas", now, ids, {"wanted": np.array([float(pods)]), "pods": (text,)})


@pytest.mark.parametrize(
    ("load", "pods", "age", "saturated"),
    [
        (250, 2, 0, True),
        (249.9, 2, 0, False),
        (250, 3, 0, False),
        (125, 0, 0, True),
        (250, 2, REPLICAS_STALE_MS, True),
        (250, 2, REPLICAS_STALE_MS + 1, False),
    ],
)
def test_a_load_that_fills_every_pod_is_a_lower_bound(
    load: float, pods: int, age: int, saturated: bool
) -> None:
    web = limited("125")
    saturation = Saturation()
    saturation.follow([web])
    saturation.take(told(web, pods))
    total = Total(load, START + age, 0.9, Flag.ESTIMATED)
    flags = saturation.marked(web.series(web.spec.signals[0]).id, total, START + age).flags
    assert flags == Flag.ESTIMATED | (Flag.SATURATED if saturated else Flag.NONE)


def test_without_a_limit_nothing_is_asked_nor_flagged() -> None:
    web = limited(None)
    saturation = Saturation()
    saturation.follow([web])
    assert not saturation.asked
    saturation.take(told(web, 1))
    total = Total(1e9, START, 1.0, Flag.NONE)
    assert saturation.marked(web.series(web.spec.signals[0]).id, total, START) == total


async def test_it_is_in_samples_and_in_the_minute_that_any_of_them_belongs_to(stage: Stage) -> None:
    web = limited("125")
    stage.script = {"one": steady(250.0)}
    collector = await stage.start(web)
    stage.log.append([told(web, 3)])
    await stage.ticks(collector, 3, 20_000)
    stage.log.append([told(web, 2, stage.clock.now_ms())])
    await stage.ticks(collector, 7, 20_000)
    flags = [int(batch.numbers("flags")[0]) for batch in stage.batches("samples")]
    assert flags == [0] * 3 + [Flag.SATURATED] * 7
    minutes = {b.time_ms - START: int(b.numbers("flags")[0]) for b in stage.batches("minutes")}
    assert minutes == {60_000: 0, 120_000: Flag.SATURATED, 180_000: Flag.SATURATED}


async def test_a_restart_keeps_the_flags_of_an_open_minute(stage: Stage) -> None:
    web = limited("125")
    stage.script = {"one": steady(250.0)}
    collector = await stage.start(web)
    stage.log.append([told(web, 2)])
    await stage.ticks(collector, 1, 20_000)
    stage.log.append([told(web, 3, stage.clock.now_ms())])
    await stage.ticks(await stage.start(web), 3, 20_000)
    (minute,) = stage.batches("minutes")
    assert minute.numbers("flags").tolist() == [Flag.SATURATED]
