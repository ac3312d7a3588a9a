"""Which pods count: ready, unready, missing (no sample) and ignored ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapter.hpa.controller import Controller
from adapter.hpa.observation import Pod, Sample


@dataclass(frozen=True, slots=True)
class Groups:
    ready: int
    unready: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]


def group_pods(
    controller: Controller, pods: Iterable[Pod], samples: Mapping[str, Sample], resource: str, now_ms: int
) -> Groups:
    """Mirrors groupPods. `resource` is "" for a Pods metric: only cpu asks for readiness."""
    ready = 0
    unready: list[str] = []
    missing: list[str] = []
    ignored: list[str] = []
    for pod in pods:
        if pod.deleted or pod.phase == "Failed":
            ignored.append(pod.name)
        elif pod.phase == "Pending":
            unready.append(pod.name)
        elif (sample := samples.get(pod.name)) is None:
            missing.append(pod.name)
        elif resource == "cpu" and _misleads(controller, pod, sample, now_ms):
            unready.append(pod.name)
        else:
            ready += 1
    return Groups(ready, tuple(unready), tuple(missing), tuple(ignored))


def _misleads(controller: Controller, pod: Pod, sample: Sample, now_ms: int) -> bool:
    """Mirrors the part of groupPods on CPU: is this sample that of a start, not of work?"""
    if pod.ready is None or pod.start_ms is None:
        return True
    if pod.start_ms + controller.cpu_initialization_ms > now_ms:
        return pod.ready == "False" or sample.time_ms < pod.transition_ms + sample.window_ms
    never_ready = pod.start_ms + controller.initial_readiness_ms > pod.transition_ms
    return pod.ready == "False" and never_ready


def count_ready(pods: Iterable[Pod]) -> int:
    """Mirrors the count in getReadyPodsCount; pods that are being deleted count."""
    return sum(1 for pod in pods if pod.phase == "Running" and pod.ready == "True")
