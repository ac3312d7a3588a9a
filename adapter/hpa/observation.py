"""What one step sees: the scale, the pods and one reading per metric. Times are milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    requests_m: Mapping[str, int] = field(default_factory=dict)
    """Resource -> thousandths."""


@dataclass(frozen=True, slots=True)
class Pod:
    name: str
    phase: str = "Running"
    ready: str | None = "True"
    """Status of the condition Ready: True, False or Unknown; None: no such condition."""
    deleted: bool = False
    """Has a deletion timestamp."""
    start_ms: int | None = 0
    transition_ms: int = 0
    """When `ready` last changed."""
    containers: tuple[Container, ...] = ()
    """Containers, and init containers that run on (restartPolicy Always)."""
    pod_requests_m: Mapping[str, int] | None = None
    """What component-helpers' PodRequests gives, where the pod as a whole has requests; else None."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Mirrors PodMetric."""

    value_m: int
    time_ms: int = 0
    window_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Samples:
    """A Resource, ContainerResource or Pods metric: pod -> sample, of pods that may be unknown."""

    of: Mapping[str, Sample]


@dataclass(frozen=True, slots=True)
class Values:
    """An Object metric (one value) or an External one (any number, to be summed), in thousandths."""

    m: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The metrics API failed, or the source is invalid; `reason` replaces the usual FailedGet...Metric."""

    reason: str = ""


Reading = Samples | Values | Unavailable


@dataclass(frozen=True, slots=True)
class Scale:
    replicas: int
    """spec.replicas of the scale subresource: what is asked for."""
    status_replicas: int
    """status.replicas: what runs."""


@dataclass(frozen=True, slots=True)
class Observation:
    scale: Scale | None
    """None: the scale could not be read."""
    readings: tuple[Reading, ...] = ()
    """One per metric of the spec, in its order."""
    pods: tuple[Pod, ...] = ()
    """Those that the target's selector selects."""
    selector_error: str = ""
    """InvalidSelector, or AmbiguousSelector where other HPAs select the same pods."""
    scale_writable: bool = True
    """False: the new scale will be refused."""
