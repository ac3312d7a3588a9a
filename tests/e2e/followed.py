"""Deployments whose HPAs follow served numbers, and how to see whether they do."""

import math
from dataclasses import dataclass
from urllib.parse import quote

from cme.core.quantity import parse_quantity
from tests.e2e.components.kube import Json, Kube
from tests.e2e.workloads import MAX_REPLICAS, NAMESPACE

CUSTOM = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{NAMESPACE}"
EXTERNAL = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
HPAS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


@dataclass(frozen=True)
class Followed:
    """A Deployment; `path` is where the aggregator serves the number that its HPA divides by `per_replica`."""

    kube: Kube
    name: str
    path: str
    per_replica: float

    def value(self) -> float:
        """As the HPA gets it. Raises KubeError with the adapter's message."""
        return sum(parse_quantity(item["value"]) for item in self.kube.items(self.path)) / 1000

    def implied(self, value: float) -> int:
        """What the HPA makes of a value; the shares of pods lose parts of a milli-unit."""
        return min(MAX_REPLICAS, max(1, math.ceil(value / self.per_replica - 1e-6)))

    def replicas(self) -> int:
        return int(self._deployment()["spec"]["replicas"])

    def settled(self) -> int | None:
        """The replicas when all of them are ready, else None."""
        deployment = self._deployment()
        wanted, status = deployment["spec"]["replicas"], deployment["status"]
        ready = wanted == status.get("replicas") == status.get("readyReplicas")
        return int(wanted) if ready else None

    def set_replicas(self, replicas: int) -> None:
        """As a person would, past the HPA."""
        self.kube.merge(f"{DEPLOYMENTS}/{self.name}/scale", {"spec": {"replicas": replicas}})

    def active(self) -> bool | None:
        """Whether the HPA could work at its last turn; None before the first."""
        condition = self._condition("ScalingActive")
        return condition["status"] == "True" if condition else None

    def told(self, condition: str) -> str:
        """What the HPA says of a condition now; its events are held back when there are many."""
        return str(self._condition(condition).get("message", ""))

    def events(self, reason: str) -> list[str]:
        """Messages of the HPA's events."""
        selector = quote(f"involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name={self.name}")
        found = self.kube.items(f"/api/v1/namespaces/{NAMESPACE}/events?fieldSelector={selector}")
        return [str(event["message"]) for event in found if event["reason"] == reason]

    def _condition(self, of: str) -> Json:
        conditions = self.kube.get(f"{HPAS}/{self.name}").get("status", {}).get("conditions") or ()
        return next((c for c in conditions if c["type"] == of), {})

    def _deployment(self) -> Json:
        return self.kube.get(f"{DEPLOYMENTS}/{self.name}")


def by_object(kube: Kube, name: str, metric: str, per_replica: float) -> Followed:
    return Followed(kube, name, f"{CUSTOM}/deployments.apps/{name}/{metric}", per_replica)


def by_pods(kube: Kube, name: str, metric: str, per_replica: float) -> Followed:
    selector = quote(f"app={name}")
    return Followed(kube, name, f"{CUSTOM}/pods/*/{metric}?labelSelector={selector}", per_replica)


def by_external(kube: Kube, name: str, metric: str, per_replica: float) -> Followed:
    selector = quote(f"tidecast.dev/workload={name}")
    return Followed(kube, name, f"{EXTERNAL}/{metric}?labelSelector={selector}", per_replica)
