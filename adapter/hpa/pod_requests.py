"""What pods request of a resource: the base of a utilization."""

from collections.abc import Iterable

from adapter.hpa.arithmetic import int64
from adapter.hpa.controller import Controller
from adapter.hpa.failures import Cause, MetricFailed
from adapter.hpa.observation import Pod


def requests_m(controller: Controller, pods: Iterable[Pod], resource: str, container: str) -> dict[str, int]:
    """Mirrors calculateRequests (calculatePodRequests up to 1.33): pod -> thousandths. Raises MetricFailed."""
    return {pod.name: _of_pod(controller, pod, resource, container) for pod in pods}


def _of_pod(controller: Controller, pod: Pod, resource: str, container: str) -> int:
    """Mirrors calculatePodLevelRequests and calculatePodRequestsFromContainers."""
    if controller.pod_level_requests and pod.pod_requests_m is not None and not container:
        if resource not in pod.pod_requests_m:
            raise MetricFailed(Cause.MISSING_REQUEST)
        return pod.pod_requests_m[resource]
    chosen = [one for one in pod.containers if container in ("", one.name)]
    if container and not chosen and controller.demands_container:
        raise MetricFailed(Cause.MISSING_CONTAINER)
    if any(resource not in one.requests_m for one in chosen):
        raise MetricFailed(Cause.MISSING_REQUEST)
    return int64(sum(one.requests_m[resource] for one in chosen))
