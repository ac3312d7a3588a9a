"""How far one step may go."""

from collections.abc import Callable
from dataclasses import dataclass

from adapter.hpa.arithmetic import INT32_MAX, INT32_MIN, ceil, int32, int32_of
from adapter.hpa.controller import Controller
from adapter.hpa.events import change_within
from adapter.hpa.spec import Behavior, Policy, PolicyType, Rules, Select
from adapter.hpa.state import ScaleEvents

WITHIN = "DesiredWithinRange"


@dataclass(frozen=True, slots=True)
class Limited:
    replicas: int
    reason: str
    """Of ScalingLimited."""


@dataclass(frozen=True, slots=True)
class Bounds:
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class History:
    """The events of an HPA as seen now."""

    ups: ScaleEvents
    downs: ScaleEvents
    now_ms: int

    def start(self, current: int, period_s: int) -> int:
        """How many replicas there were when the period began, as far as scaling by this HPA explains."""
        added = change_within(self.ups, period_s, self.now_ms)
        removed = change_within(self.downs, period_s, self.now_ms)
        return int32(current - added + removed)


def without_behavior(controller: Controller, current: int, desired: int, bounds: Bounds) -> Limited:
    """Mirrors convertDesiredReplicasWithRules."""
    limit = scale_up_limit(controller, current)
    most, reason = (limit, "ScaleUpLimit") if bounds.most > limit else (bounds.most, "TooManyReplicas")
    if desired < bounds.least:
        return Limited(bounds.least, "TooFewReplicas")
    return Limited(most, reason) if desired > most else Limited(desired, WITHIN)


def scale_up_limit(controller: Controller, current: int) -> int:
    """Mirrors calculateScaleUpLimit."""
    return int32_of(max(controller.scale_up_limit_factor * float(current), controller.scale_up_limit_minimum))


def with_behavior(
    behavior: Behavior, history: History, current: int, desired: int, bounds: Bounds
) -> Limited:
    """Mirrors convertDesiredReplicasWithBehaviorRate."""
    if desired > current:
        limit = max(up_limit(behavior.up, history, current), current)
        most, reason = (limit, "ScaleUpLimit") if bounds.most > limit else (bounds.most, "TooManyReplicas")
        return Limited(most, reason) if desired > most else Limited(desired, WITHIN)
    if desired < current:
        limit = min(down_limit(behavior.down, history, current), current)
        least, reason = (
            (limit, "ScaleDownLimit") if bounds.least < limit else (bounds.least, "TooFewReplicas")
        )
        return Limited(least, reason) if desired < least else Limited(desired, WITHIN)
    return Limited(desired, WITHIN)


def up_limit(rules: Rules, history: History, current: int) -> int:
    """Mirrors calculateScaleUpLimitWithScalingRules."""
    if rules.select is Select.DISABLED:
        return current
    limits = _limits(rules, history, current, _raised)
    if rules.select is Select.MIN:
        return min(limits, default=INT32_MAX)
    return max(limits, default=INT32_MIN)


def down_limit(rules: Rules, history: History, current: int) -> int:
    """Mirrors calculateScaleDownLimitWithBehaviors: the largest change is the smallest limit."""
    if rules.select is Select.DISABLED:
        return current
    limits = _limits(rules, history, current, _lowered)
    if rules.select is Select.MIN:
        return max(limits, default=INT32_MIN)
    return min(limits, default=INT32_MAX)


def _limits(rules: Rules, history: History, current: int, changed: Callable[[int, Policy], int]) -> list[int]:
    return [changed(history.start(current, policy.period_s), policy) for policy in rules.policies]


def _raised(start: int, policy: Policy) -> int:
    """Rounded up, so that a small percentage still moves; 100 replicas and 10 % give 111 in doubles."""
    if policy.type is PolicyType.PODS:
        return int32(start + policy.value)
    return int32_of(ceil(float(start) * (1.0 + float(policy.value) / 100.0)))


def _lowered(start: int, policy: Policy) -> int:
    if policy.type is PolicyType.PODS:
        return int32(start - policy.value)
    return int32_of(float(start) * (1.0 - float(policy.value) / 100.0))
