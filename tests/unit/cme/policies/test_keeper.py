"""Files and objects brought together: what changes is handed on, what is unknown or broken stays as it was."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from cme.collector.records import standing_batch, withdrawal
from cme.core.batch import Batch, series_ids
from cme.policies.keeper import Objects, PolicyKeeper, remembered
from cme.policies.objects import PolicyObjects
from cme.policies.standing import Fate, Origin, Standing, in_effect
from cme.runtime.telemetry import CollectorTelemetry
from tests.unit.cme.policies.written import SETTINGS, policy, raw

NARROW: dict[str, Any] = {"scaleDown": {"window": "5m"}}


class File:
    def __init__(self, *standings: Standing) -> None:
        self.standings: Sequence[Standing] = standings
        self.changed = False

    def look(self) -> bool:
        changed, self.changed = self.changed, False
        return changed


class Stage:
    def __init__(self, file: File, remembered: Sequence[Standing] = ()) -> None:
        self.file, self.objects, self.registry = file, PolicyObjects(), CollectorRegistry()
        self.told: list[Sequence[Standing]] = []
        objects = Objects(self.objects, remembered)
        telemetry = CollectorTelemetry(self.registry)
        self.keeper = PolicyKeeper(file, objects, [self.told.append], SETTINGS, telemetry)

    async def changes(self, kind: str, *objects: dict[str, Any]) -> None:
        for one in objects:
            self.objects.take({"type": kind, "object": one})
        await self.keeper.turn()

    async def listed(self, *objects: dict[str, Any]) -> None:
        self.objects.begin(objects, 0)
        await self.keeper.turn()

    @property
    def windows(self) -> dict[str, int]:
        """By policy in effect its window in minutes."""
        return {one.key: one.spec.scale_down.window // 60_000 for one in in_effect(self.keeper.standings)}

    def count(self, state: str) -> float | None:
        return self.registry.get_sample_value("tidecast_policies", {"state": state})


async def test_objects_come_change_and_go() -> None:
    stage = Stage(File(Standing.valid(policy("file"))))
    assert stage.windows == {"shop/file": 10}
    await stage.listed(raw("web"))
    assert stage.windows == {"shop/file": 10, "shop/web": 10}
    await stage.changes("MODIFIED", raw("web", generation=2, **NARROW))
    assert stage.windows == {"shop/file": 10, "shop/web": 5}
    await stage.changes("DELETED", raw("web", generation=2, **NARROW))
    assert stage.windows == {"shop/file": 10}
    assert [len(in_effect(told)) for told in stage.told] == [2, 2, 1]


async def test_what_does_not_change_what_is_written_is_not_handed_on() -> None:
    stage = Stage(File())
    await stage.listed(raw("web"))
    await stage.changes("MODIFIED", raw("web") | {"status": {"replicas": 7}})
    await stage.changes("BOOKMARK", raw("web"))
    await stage.keeper.turn()
    assert len(stage.told) == 1


async def test_until_the_cluster_has_told_what_was_in_effect_stays() -> None:
    known = Standing.valid(policy("web", **NARROW), Origin.CLUSTER)
    stage = Stage(File(), [known])
    await stage.keeper.turn()
    assert stage.windows == {"shop/web": 5}
    await stage.listed()
    assert stage.windows == {}


async def test_what_was_remembered_right_is_handed_on_once_it_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody is told of a policy before its object has been seen."""
    stage = Stage(File(), [Standing.valid(policy("web"), Origin.CLUSTER)])
    await stage.keeper.turn()
    assert stage.told == []
    await stage.listed(raw("web"))
    assert [in_effect(told) for told in stage.told] == [[policy("web")]]
    await stage.listed(raw("web"))
    assert len(stage.told) == 1


async def test_an_object_that_was_broken_meanwhile_stays_as_it_was_remembered() -> None:
    stage = Stage(File(), [Standing.valid(policy("web", **NARROW), Origin.CLUSTER)])
    await stage.listed(raw("web", generation=2, signals=[]))
    assert stage.windows == {"shop/web": 5}
    (standing,) = stage.keeper.standings
    assert standing.fate is Fate.INVALID
    assert (stage.count("in_effect"), stage.count("refused")) == (1, 1)


async def test_a_broken_change_keeps_the_last_good_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(File())
    await stage.listed(raw("web", **NARROW))
    with caplog.at_level(logging.ERROR):
        await stage.changes("MODIFIED", raw("web", generation=2, signals=[]))
        await stage.changes("MODIFIED", raw("web", generation=2, signals=[]) | {"status": {}})
    assert stage.windows == {"shop/web": 5}
    (record,) = caplog.records
    assert "policy shop/web is refused: spec.signals" in record.getMessage()
    await stage.changes("MODIFIED", raw("web", generation=3))
    assert stage.windows == {"shop/web": 10}


async def test_one_that_was_deleted_and_made_anew_does_not_inherit(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(File())
    await stage.listed(raw("web", **NARROW))
    await stage.changes("DELETED", raw("web", **NARROW))
    await stage.changes("ADDED", raw("web", signals=[]))
    assert stage.windows == {}
    assert stage.count("refused") == 1


async def test_the_older_of_two_of_a_target_stands() -> None:
    stage = Stage(File())
    await stage.listed(raw("young", age=1, target="web"), raw("old", age=5, target="web"))
    assert list(stage.windows) == ["shop/old"]


async def test_a_file_that_changes_is_handed_on() -> None:
    stage = Stage(File(Standing.valid(policy("web"))))
    stage.file.standings, stage.file.changed = (Standing.valid(policy("web", **NARROW)),), True
    await stage.keeper.turn()
    assert stage.windows == {"shop/web": 5}
    assert len(stage.told) == 1


def test_only_what_the_cluster_held_is_remembered(caplog: pytest.LogCaptureFixture) -> None:
    of_cluster = Standing.valid(policy("web"), Origin.CLUSTER)
    batches = [
        standing_batch(0, of_cluster),
        standing_batch(0, Standing.valid(policy("file"))),
        standing_batch(0, Standing("shop/bad", Origin.CLUSTER, None, Fate.INVALID, "bad")),
        withdrawal(0, "shop/gone"),
        Batch("policies", 0, series_ids([1]), {"document": ("{}",)}, "shop/before"),
        Batch("policies", 0, series_ids([1]), {"document": ("{",), "origin": ("cluster",)}, "shop/torn"),
    ]
    assert remembered(batches) == [of_cluster]
    assert "policy shop/torn is left out" in caplog.records[0].getMessage()
