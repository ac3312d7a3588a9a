"""What an adapter waits for before requests are sent to it."""

import pytest
from prometheus_client import CollectorRegistry

from adapter.api.readiness import Readiness
from adapter.running import PODS, RunningPods
from cme.core.errors import KubeFailed
from cme.runtime.reflector import Reflector
from cme.runtime.telemetry import AdapterTelemetry
from tests.unit.adapter.stage import Stage
from tests.unit.cme.runtime.test_reflector import Cluster, Json, page


def test_it_waits_for_its_log() -> None:
    stage = Stage()
    readiness, stage.view.ready = Readiness(stage.view), False
    assert readiness.lacking == "the log is being read"
    stage.view.ready = True
    assert readiness.lacking == ""


@pytest.mark.parametrize("listed", [page("a", version=5), KubeFailed("forbidden")])
async def test_it_waits_for_pods_until_they_are_listed_or_could_not_be(listed: Json | KubeFailed) -> None:
    """Else an HPA by a Pods metric would lose a turn to each adapter that starts."""
    stage, telemetry = Stage(), AdapterTelemetry(CollectorRegistry())
    running = RunningPods(stage.clock)
    pods = Reflector(Cluster([listed], []), PODS, running, stage.clock, telemetry.pods)
    readiness = Readiness(stage.view, pods)
    assert readiness.lacking == "pods are being listed"
    await pods.turn()
    assert readiness.lacking == ""
    assert running.known is not isinstance(listed, KubeFailed)


def test_who_leaves_is_not_ready_any_more() -> None:
    readiness = Readiness(Stage().view)
    readiness.leave()
    assert readiness.lacking == "shutting down"
