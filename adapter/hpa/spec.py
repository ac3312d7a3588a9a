"""What an HPA asks for. Left-out fields have the values that the API server would fill in."""

from dataclasses import dataclass
from enum import StrEnum

from cme.core.errors import InvalidInput


class MetricType(StrEnum):
    RESOURCE = "Resource"
    CONTAINER_RESOURCE = "ContainerResource"
    PODS = "Pods"
    OBJECT = "Object"
    EXTERNAL = "External"


class TargetType(StrEnum):
    UTILIZATION = "Utilization"
    """Percent of the pods' requests."""
    AVERAGE_VALUE = "AverageValue"
    """Thousandths per pod."""
    VALUE = "Value"
    """Thousandths."""


_OF_RESOURCES = frozenset({TargetType.UTILIZATION, TargetType.AVERAGE_VALUE})
_OF_OBJECTS = frozenset({TargetType.VALUE, TargetType.AVERAGE_VALUE})
_TARGETS = {
    MetricType.RESOURCE: _OF_RESOURCES,
    MetricType.CONTAINER_RESOURCE: _OF_RESOURCES,
    MetricType.PODS: frozenset({TargetType.AVERAGE_VALUE}),
    MetricType.OBJECT: _OF_OBJECTS,
    MetricType.EXTERNAL: _OF_OBJECTS,
}


@dataclass(frozen=True, slots=True)
class Target:
    type: TargetType
    amount: int


@dataclass(frozen=True, slots=True)
class Metric:
    type: MetricType
    target: Target
    resource: str = ""
    """Of Resource and ContainerResource: cpu, memory, ..."""
    container: str = ""
    """Of ContainerResource."""

    def __post_init__(self) -> None:
        if self.target.type not in _TARGETS[self.type]:
            fitting = " or ".join(sorted(_TARGETS[self.type]))
            raise InvalidInput(f"a {self.type} metric has no {self.target.type}", "target", f"give {fitting}")


class Select(StrEnum):
    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


class PolicyType(StrEnum):
    PODS = "Pods"
    PERCENT = "Percent"


@dataclass(frozen=True, slots=True)
class Policy:
    type: PolicyType
    value: int
    period_s: int


@dataclass(frozen=True, slots=True)
class Rules:
    """HPAScalingRules with nothing left out but what may be: see ScaleUp and ScaleDown for the defaults."""

    stabilization_s: int | None
    """None: the controller's own window."""
    select: Select
    policies: tuple[Policy, ...]
    tolerance: float | None
    """None: the controller's own. `tolerance.from_quantity` makes one of the text in a manifest."""


@dataclass(frozen=True, slots=True)
class ScaleUp(Rules):
    """Mirrors GenerateHPAScaleUpRules: a list of policies that is given replaces the default list whole."""

    stabilization_s: int | None = 0
    select: Select = Select.MAX
    policies: tuple[Policy, ...] = (Policy(PolicyType.PODS, 4, 15), Policy(PolicyType.PERCENT, 100, 15))
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class ScaleDown(Rules):
    """Mirrors GenerateHPAScaleDownRules."""

    stabilization_s: int | None = None
    select: Select = Select.MAX
    policies: tuple[Policy, ...] = (Policy(PolicyType.PERCENT, 100, 15),)
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Behavior:
    """Mirrors SetDefaults_HorizontalPodAutoscalerBehavior: an empty behavior is not the same as none."""

    up: Rules = ScaleUp()
    down: Rules = ScaleDown()


@dataclass(frozen=True, slots=True)
class Spec:
    """Mirrors SetDefaults_HorizontalPodAutoscaler."""

    max_replicas: int
    min_replicas: int = 1
    metrics: tuple[Metric, ...] = (
        Metric(MetricType.RESOURCE, Target(TargetType.UTILIZATION, 80), resource="cpu"),
    )
    behavior: Behavior | None = None
