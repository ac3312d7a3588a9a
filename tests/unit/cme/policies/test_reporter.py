"""Who is told what and how often: conditions at once, the rest once a minute, so many in all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from cme.core.batch import Batch, series_ids
from cme.core.clock import ManualClock
from cme.core.errors import KubeFailed
from cme.core.identity import SeriesKey
from cme.core.reasons import Reason
from cme.log.embedded import EmbeddedLog
from cme.policies import reporter
from cme.policies.objects import PolicyObjects
from cme.policies.reporter import PERIOD_MS, ROUTINE_MS, WRITES, Reporter
from cme.policies.standing import Origin, Standing
from cme.runtime.telemetry import CollectorTelemetry
from tests.unit.cme.policies.written import policy, raw

STALE_MS = 60_000


class Cluster:
    """Takes all but what it refuses; the objects' watch does not echo."""

    def __init__(self) -> None:
        self.statuses: list[tuple[str, Mapping[str, Any]]] = []
        self.events: list[Mapping[str, Any]] = []
        self.refuses = ""

    def merge(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        name = path.split("/")[-2]
        if self.refuses and self.refuses in name:
            raise KubeFailed("no")
        self.statuses.append((name, body["status"]))
        return body

    def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.events.append(body)
        return body

    def names(self) -> list[str]:
        found = [name for name, _ in self.statuses]
        self.statuses.clear()
        return found


class Stage:
    def __init__(self, folder: Path) -> None:
        self.cluster, self.clock = Cluster(), ManualClock(1_795_000_000_000)
        self.log = EmbeddedLog.open(folder, writable=True)
        self.objects = PolicyObjects()
        self.start()

    def start(self) -> None:
        """A new process, which remembers nothing."""
        self.registry = CollectorRegistry()
        telemetry = CollectorTelemetry(self.registry)
        self.reporter = Reporter(self.cluster, self.log, self.clock, self.objects, STALE_MS, telemetry)

    def policies(self, *names: str) -> None:
        self.objects.begin([raw(name) for name in names], 0)
        self.reporter.follow([Standing.valid(policy(name), Origin.CLUSTER) for name in names])

    def decide(self, replicas: float, reasons: Reason, *names: str) -> None:
        workloads = [policy(name).workload for name in names]
        ids = [SeriesKey(one, signal).id for signal in ("qps", "replicas") for one in workloads]
        columns = {
            "value": np.full(len(ids), replicas),
            "reasons": np.full(len(ids), int(reasons), dtype=np.uint32),
        }
        self.log.append([Batch("decisions", self.clock.now_ms(), series_ids(ids), columns)])

    async def turn(self, after_ms: int = PERIOD_MS) -> list[str]:
        self.clock.advance(after_ms)
        await self.reporter.turn()
        return self.cluster.names()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_a_condition_is_told_at_once_a_number_once_a_minute(stage: Stage) -> None:
    stage.policies("web")
    assert await stage.turn() == ["web"]
    for replicas in (5.0, 6.0, 7.0):
        stage.decide(replicas, Reason.RAW, "web")
        told = await stage.turn()
    assert told == []
    stage.decide(7.0, Reason.RAW, "web")
    assert await stage.turn(ROUTINE_MS) == ["web"]
    stage.decide(float("nan"), Reason.MISSING, "web")
    assert await stage.turn() == ["web"]
    assert [event["reason"] for event in stage.cluster.events] == ["Missing"]
    stage.decide(float("nan"), Reason.MISSING, "web")
    assert await stage.turn(ROUTINE_MS) == []


async def test_so_many_in_one_period_and_conditions_first(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "WRITES", 3)
    names = ("a", "b", "c", "d")
    stage.policies(*names)
    stage.decide(5.0, Reason.RAW, *names)
    assert (await stage.turn(), await stage.turn()) == (["a", "b", "c"], ["d"])
    stage.decide(6.0, Reason.RAW, *names)
    stage.clock.advance(ROUTINE_MS)
    stage.decide(6.0, Reason.RAW, *names)
    stage.objects.take({"type": "MODIFIED", "object": raw("d", generation=2)})
    assert (await stage.turn(), await stage.turn()) == (["d", "a", "b"], ["c"])
    assert WRITES / PERIOD_MS == 20 / 1000


async def test_what_the_cluster_refuses_holds_nobody_else_up(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.policies("bad", "good")
    stage.cluster.refuses = "bad"
    assert (await stage.turn(), await stage.turn()) == ([], ["good"])
    assert await stage.turn() == []
    stage.cluster.refuses = ""
    assert await stage.turn(ROUTINE_MS) == ["bad"]
    assert [record.getMessage() for record in caplog.records] == ["a policy's status can't be written: no"]
    assert stage.registry.get_sample_value("tidecast_policy_statuses_failed_total") == 1
    assert stage.registry.get_sample_value("tidecast_policy_statuses_total") == 2


async def test_a_decision_that_grows_old_is_no_longer_known(stage: Stage) -> None:
    stage.policies("web")
    stage.decide(5.0, Reason.RAW, "web")
    await stage.turn()
    stage.clock.advance(STALE_MS)
    await stage.reporter.turn()
    (told,) = stage.cluster.statuses
    assert [one["status"] for one in told[1]["conditions"]] == ["True", "Unknown", "Unknown"]
    assert told[1]["replicas"] is None


async def test_a_new_process_goes_on_from_what_the_object_says(stage: Stage) -> None:
    stage.policies("web")
    stage.decide(5.0, Reason.MISSING, "web")
    stage.clock.advance(PERIOD_MS)
    await stage.reporter.turn()
    ((_, told),) = stage.cluster.statuses
    assert len(stage.cluster.events) == 1
    stage.start()
    stage.policies("web")
    stage.objects.begin([raw("web") | {"status": told}], 0)
    await stage.turn()
    assert len(stage.cluster.events) == 1


async def test_who_writes_in_a_file_is_told_nothing(stage: Stage) -> None:
    stage.objects.begin([raw("web")], 0)
    stage.reporter.follow([Standing.valid(policy("web"))])
    assert await stage.turn() == []
