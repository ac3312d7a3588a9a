"""A tick: what it writes, and that no source harms another."""

import asyncio
import logging
import math
import time
from typing import Any, cast

import pytest

from cme.core.errors import InvalidInput
from cme.core.readings import Harvest, Reading
from cme.sources.protocol import SourceFailed
from tests.contract.source_web import web_server
from tests.unit.cme.collector.stage import (
    START,
    Says,
    Stage,
    hanging,
    ids,
    policy,
    raising,
    scripted,
    steady,
)


async def test_a_tick_writes_a_row_a_signal(stage: Stage) -> None:
    shop, media = policy("shop", scripted("one"), scripted("two")), policy("media", scripted("two"))
    stage.script = {"one": steady(5.0), "two": raising(SourceFailed("two is down"))}
    collector = await stage.start(shop, media)
    await stage.ticks(collector, 1)
    (batch,) = stage.batches("samples")
    assert batch.time_ms == START + 5_000
    assert sorted(batch.series.tolist()) == sorted(ids(shop) + ids(media))
    told = stage.newest()
    assert told[ids(shop)[0]] == (5.0, "")
    for series in (ids(shop)[1], ids(media)[0]):
        value, problem = told[series]
        assert math.isnan(value)
        assert problem == "two is down"


async def test_the_columns_say_when_and_how_whole(stage: Stage) -> None:
    async def say(now_ms: int) -> Harvest:
        readings = [Reading(str(i), 1.0, now_ms - 700 - i) for i in range(4)]
        return Harvest(readings, {"": 5}, ["the fifth is down"])

    stage.script = {"one": say, "two": raising(SourceFailed("down"))}
    shop = policy("shop", scripted("one"), scripted("two"))
    await stage.ticks(await stage.start(shop), 1)
    (batch,) = stage.batches("samples")
    rows = {
        series: tuple(batch.numbers(name)[i] for name in ("measured_ms", "coverage", "flags"))
        for i, series in enumerate(batch.series.tolist())
    }
    assert rows[ids(shop)[0]] == (START + 5_000 - 703, pytest.approx(0.8), 1)
    assert rows[ids(shop)[1]] == (START + 5_000, 0.0, 0)
    assert batch.texts("problem")[batch.series.tolist().index(ids(shop)[0])] == ""


class Fault(RuntimeError):
    """Of a source with a bug."""


def nonsense(value: Any) -> Says:
    async def say(now_ms: int) -> Harvest:
        return cast(Harvest, value)

    return say


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        (raising(SourceFailed("its words")), "its words"),
        (raising(Fault("at 0x7f3a")), "default/script:bad failed: Fault"),
        (raising(RecursionError()), "default/script:bad failed: RecursionError"),
        (nonsense(None), "default/script:bad failed: AttributeError"),
        (nonsense(Harvest([Reading("p", cast(float, "5"), 1)])), "default/script:bad failed: TypeError"),
        (nonsense(Harvest([Reading("p", 10**400, 1)])), "default/script:bad failed: OverflowError"),
        (hanging, "default/script:bad did not answer within 0.5 s"),
    ],
    ids=["fails", "bug", "recursion", "none", "text", "huge", "hangs"],
)
async def test_a_bad_source_hides_no_other(
    says: Says, problem: str, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    stage.script = {"good": steady(5.0), "bad": says}
    shop = policy("shop", scripted("bad"), scripted("good"))
    collector = await stage.start(shop)
    for _ in range(2):
        await stage.ticks(collector, 1)
        told = stage.newest()
        assert told[ids(shop)[1]] == (5.0, "")
        assert math.isnan(told[ids(shop)[0]][0])
        assert told[ids(shop)[0]][1] == problem
    assert stage.metric("source_success", source="default/script:good") == 1
    assert stage.metric("source_success", source="default/script:bad") == 0
    stage.script["bad"] = steady(7.0)
    await stage.ticks(collector, 1)
    assert stage.newest()[ids(shop)[0]] == (7.0, "")
    assert stage.metric("source_success", source="default/script:bad") == 1


async def test_all_sources_are_read_at_once(stage: Stage) -> None:
    """Each waits for the other: one after the other they would not answer."""
    both = asyncio.Barrier(2)

    async def say(now_ms: int) -> Harvest:
        await both.wait()
        return Harvest([Reading("one", 5.0, now_ms)], {"": 1})

    stage.script = {"one": say, "two": say}
    shop = policy("shop", scripted("one"), scripted("two"))
    await stage.ticks(await stage.start(shop), 1)
    assert set(stage.newest().values()) == {(5.0, "")}


async def test_what_is_read_after_the_process_stood_still_is_not_of_the_ticks_time(stage: Stage) -> None:
    """A counter's rate would be too large by as much as it had counted meanwhile."""

    async def standing_still(now_ms: int) -> Harvest:
        end = time.monotonic() + 0.6
        while time.monotonic() < end:
            pass
        return await steady(5.0)(now_ms)

    stage.script = {"slow": standing_still, "good": steady(5.0)}
    collector = await stage.start(policy("shop", scripted("slow"), scripted("good")))
    await stage.ticks(collector, 1)
    late = [f"default/script:{name} did not answer within 0.5 s" for name in ("slow", "good")]
    assert sorted(problem for _, problem in stage.newest().values()) == sorted(late)
    stage.script["slow"] = steady(6.0)
    await stage.ticks(collector, 1)
    assert sorted(stage.newest().values()) == [(5.0, ""), (6.0, "")]


async def test_a_source_may_take_less_than_its_deadline(stage: Stage) -> None:
    stage.script = {"one": steady(5.0)}
    await stage.ticks(await stage.start(policy("shop", scripted("one")), tick="10s"), 1)
    assert stage.timeouts == [4.0]  # of a deadline of 5 s, half a tick


@pytest.mark.parametrize("text", ["\ud800 half a character", "x" * 2_000_000, "\U0001f30a" * 500_000])
async def test_a_problem_that_no_record_could_hold_does_not_hold_up_the_log(text: str, stage: Stage) -> None:
    stage.script = {"one": raising(SourceFailed(text)), "two": steady(5.0)}
    shop = policy("shop", scripted("one"), scripted("two"))
    await stage.ticks(await stage.start(shop), 2)
    assert len(stage.batches("samples")) == 2
    told = stage.newest()
    assert told[ids(shop)[0]][1][1:20] == text[1:20]
    assert len(told[ids(shop)[0]][1]) <= 500
    assert told[ids(shop)[1]] == (5.0, "")


async def test_signals_with_the_same_source_share_one_read(stage: Stage) -> None:
    stage.script = {"one": steady(5.0)}
    shared = [policy(name, scripted("one")) for name in ("shop", "media")]
    await stage.ticks(await stage.start(*shared), 1)
    assert stage.reads == ["one"]
    assert stage.newest() == {ids(p)[0]: (5.0, "") for p in shared}


async def test_another_namespace_has_a_read_of_its_own(stage: Stage) -> None:
    stage.script = {"one": steady(5.0)}
    await stage.ticks(
        await stage.start(
            policy("shop", scripted("one")),
            policy("shop", scripted("one"), namespace="media"),
        ),
        1,
    )
    assert stage.reads == ["one", "one"]
    for namespace in ("default", "media"):
        assert stage.metric("source_success", source=f"{namespace}/script:one") == 1


@pytest.mark.parametrize("forbidden_last", [True, False])
async def test_a_shared_spec_opens_no_connection_to_who_may_not_use_it(
    forbidden_last: bool, stage: Stage
) -> None:
    source = scripted("one", connection="main")
    both = [policy("shop", source), policy("shop", source, namespace="media")]
    connections = {"main": {"address": "http://x", "namespaces": ["default"]}}
    with pytest.raises(InvalidInput, match=r"policy media/shop.*namespace media may not use"):
        await stage.start(*(both if forbidden_last else both[::-1]), connections=connections)


async def test_a_label_tells_the_workloads_of_one_read_apart(stage: Stage) -> None:
    async def say(now_ms: int) -> Harvest:
        readings = [Reading(name, value, now_ms, name) for name, value in (("shop", 5.0), ("media", 7.0))]
        return Harvest(readings, {"shop": 1, "media": 1})

    stage.script = {"one": say}
    camel, snake = {"workloadLabel": "app"}, {"workload_label": "app"}
    policies = [policy(n, scripted("one", **label)) for n in ("shop", "media") for label in (camel,)]
    other = policy("gone", scripted("one", **snake))
    await stage.ticks(await stage.start(*policies, other), 1)
    told = stage.newest()
    assert [told[ids(p)[0]] for p in policies] == [(5.0, ""), (7.0, "")]
    assert told[ids(other)[0]][1] == "the query returned nothing for workload 'gone'"


async def test_sources_that_differ_late_in_their_text_keep_names_apart(stage: Stage) -> None:
    stage.script = {"one": steady(5.0), "two": raising(SourceFailed("down"))}
    long = {"note": "x" * 300}
    specs = [{"script": {**long, "name": name}} for name in ("one", "two")]
    await stage.ticks(await stage.start(policy("shop", *specs)), 1)
    found = [s for m in stage.metrics.collect() for s in m.samples if s.name == "tidecast_source_success"]
    assert sorted(s.value for s in found) == [0.0, 1.0]
    assert all(len(s.labels["source"]) <= 120 for s in found)


async def test_a_scrape_of_a_real_server_becomes_a_rate(stage: Stage) -> None:
    async with web_server() as web:
        shop = policy("shop", {"scrape": {"targets": [web.url], "metric": "requests_total"}})
        collector = await stage.start(shop)
        for total in (1_000, 1_050, 1_150):
            web.answers(f"requests_total {total}\n".encode())
            await stage.ticks(collector, 1)
        await collector.close()
    values = [batch.numbers("value")[0] for batch in stage.batches("samples")]
    assert math.isnan(values[0])
    assert values[1:] == [10.0, 15.0]


@pytest.mark.parametrize(("tick", "window"), [("1m", "30s"), ("5s", "1s")])
async def test_a_rate_comes_of_ticks_longer_than_its_window(tick: str, window: str, stage: Stage) -> None:
    async def say(now_ms: int) -> Harvest:
        return Harvest([Reading("one", now_ms / 1000, now_ms)], {"": 1}, counters=True)

    stage.script = {"one": say}
    shop = policy("shop", scripted("one"))
    collector = await stage.start(shop, tick=tick, rateWindow=window)
    await stage.ticks(collector, 3, stage.settings.tick)
    assert stage.newest()[ids(shop)[0]][0] == pytest.approx(1.0)


async def test_closing_closes_every_source(stage: Stage) -> None:
    collector = await stage.start(policy("shop", scripted("one"), scripted("two")))
    await collector.close()
    assert sorted(stage.closed) == ["one", "two"]


async def test_without_policies_a_tick_writes_nothing(stage: Stage) -> None:
    await stage.ticks(await stage.start(), 3)
    assert stage.batches("samples") == []
