"""Every way in which an HPA can ask for a metric, and the stage on which it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import Followed
from tests.e2e.told import Told
from tests.e2e.workloads import by_value, external_metric, object_metric, of_workload, pods_metric

LOAD, PER_REPLICA = 300.0, "100"

OBJECT = "object"

METRICS: Mapping[str, Json] = {
    OBJECT: object_metric(OBJECT, "qps", PER_REPLICA),
    "object-value": by_value(object_metric("object-value", "qps_per_replica", PER_REPLICA)),
    "external": external_metric("external", "qps", PER_REPLICA),
    "external-value": by_value(external_metric("external-value", "qps_per_replica", PER_REPLICA)),
    "pods": pods_metric("qps_scaling", PER_REPLICA),
    "pods-selected": pods_metric("qps_scaling", PER_REPLICA, of_workload("pods-selected")),
}
"""By the workload that is scaled so."""


@dataclass(frozen=True)
class Scene:
    """`hpas` by the name of their workload; each begins with the replicas that LOAD asks for."""

    plane: ControlPlane
    tidecast: Tidecast
    told: Told
    hpas: dict[str, Followed]
    folder: Path

    def settle(self) -> None:
        """Wait until all HPAs have made of the load that is told exactly the size that it implies."""
        for name, one in self.hpas.items():
            self._settle(name, one, one.implied(self.told.load))

    def _settle(self, name: str, one: Followed, size: int) -> None:
        until(f"{name} has {size} replicas", lambda: one.settled() == size, 60)
