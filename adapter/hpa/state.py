"""What the controller and the HPA's status keep between two steps. Times are milliseconds."""

from enum import StrEnum
from typing import NamedTuple


class Recommendation(NamedTuple):
    """Mirrors timestampedRecommendation: what metrics asked for, before any limit."""

    replicas: int
    time_ms: int


class ScaleEvent(NamedTuple):
    """Mirrors timestampedScaleEvent; `change` is never negative."""

    change: int
    time_ms: int
    outdated: bool = False


Recommendations = tuple[Recommendation, ...]
ScaleEvents = tuple[ScaleEvent, ...]


class ConditionType(StrEnum):
    ABLE_TO_SCALE = "AbleToScale"
    SCALING_ACTIVE = "ScalingActive"
    SCALING_LIMITED = "ScalingLimited"
    SCALED_TO_ZERO = "ScaledToZero"


class Condition(NamedTuple):
    status: bool
    reason: str
    transition_ms: int
    """When `status` last changed."""


Conditions = tuple[tuple[ConditionType, Condition], ...]


class State(NamedTuple):
    """A new HPA has the empty state; a controller that restarts keeps the conditions and what follows them."""

    recommendations: Recommendations | None = None
    """None: nothing seen yet; the first step starts the log with the size it finds."""
    ups: ScaleEvents = ()
    downs: ScaleEvents = ()
    conditions: Conditions = ()
    desired_replicas: int = 0
    """status.desiredReplicas."""
    last_scale_ms: int | None = None
