"""An HPA's status, as far as a decision shows in it."""

from typing import NamedTuple

from adapter.hpa.arithmetic import INT64_MIN
from adapter.hpa.state import Condition, Conditions, ConditionType
from cme.core.quantity import format_quantity, parse_quantity
from tests.e2e.components.kube import Json


class Measure(NamedTuple):
    """What it says of one metric."""

    value_m: int
    utilization: int | None


class Status(NamedTuple):
    """Less its texts and times."""

    current: int = 0
    desired: int = 0
    conditions: tuple[tuple[str, bool, str], ...] = ()
    """Type, status, reason; by type."""
    metrics: tuple[Measure | None, ...] = ()
    """None: it could not be read."""

    def as_conditions(self) -> Conditions:
        """For the model; when a condition became so has no part in a decision."""
        return tuple((ConditionType(kind), Condition(on, reason, 0)) for kind, on, reason in self.conditions)


def of(hpa: Json) -> Status:
    """That of an HPA object."""
    status = hpa["status"]
    conditions = sorted(
        (c["type"], c["status"] == "True", c["reason"]) for c in status.get("conditions") or ()
    )
    measures = tuple(_measure(metric) for metric in status.get("currentMetrics") or ())
    return Status(status.get("currentReplicas", 0), status["desiredReplicas"], tuple(conditions), measures)


def _measure(metric: Json) -> Measure | None:
    """A metric that failed has an entry without a type."""
    if not metric["type"]:
        return None
    (current,) = (one["current"] for name, one in metric.items() if name != "type")
    value = current.get("value", current.get("averageValue"))
    return Measure(_milli(value), current.get("averageUtilization"))


def _milli(text: str) -> int:
    """Also what becomes of an average over no replicas, which nobody may serve."""
    return INT64_MIN if text == format_quantity(INT64_MIN) else parse_quantity(text)
