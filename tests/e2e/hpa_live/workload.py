"""What is drawn: workloads with their HPAs."""

from dataclasses import dataclass

from adapter.hpa.observation import Pod
from adapter.hpa.spec import Metric, MetricType, Spec


@dataclass(frozen=True)
class Workload:
    """A Deployment that nobody runs, the pods that its selector finds, and an HPA, all of one name."""

    name: str
    specs: tuple[Spec, ...]
    """What its HPA may be changed to, the first in the beginning; all have the same metrics."""
    pods: tuple[Pod, ...]
    replicas: int
    """In the beginning, of spec and status."""

    def metric_name(self, index: int) -> str:
        """Of the metric of that index, unless it is of resources; metrics of two workloads have no name in common."""
        return f"{self.name}-{index}"

    @property
    def of_resources(self) -> int | None:
        """Index of the metric that the resource metrics API answers; there is one at most, for requests don't name it."""
        kinds = {MetricType.RESOURCE, MetricType.CONTAINER_RESOURCE}
        return next((index for index, one in enumerate(self.metrics) if one.type in kinds), None)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return self.specs[0].metrics
