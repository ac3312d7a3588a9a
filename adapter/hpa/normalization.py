"""From what metrics call for to what is done: stabilized, then limited."""

from dataclasses import dataclass

from adapter.hpa import conditions, limits, stabilization
from adapter.hpa.controller import Controller
from adapter.hpa.limits import Bounds, History, Limited
from adapter.hpa.spec import Behavior, Spec
from adapter.hpa.stabilization import Stabilized, Windows
from adapter.hpa.state import Conditions, ConditionType, Recommendations, State
from cme.core.durations import SECOND_MS


@dataclass(frozen=True, slots=True)
class Normalized:
    replicas: int
    log: Recommendations
    conditions: Conditions


def normalize(
    controller: Controller,
    spec: Spec,
    state: State,
    told: Conditions,
    current: int,
    desired: int,
    now_ms: int,
) -> Normalized:
    """Mirrors normalizeDesiredReplicas and normalizeDesiredReplicasWithBehaviors. `told`: the conditions so far."""
    log, behavior = state.recommendations or (), spec.behavior
    bounds = Bounds(spec.min_replicas, spec.max_replicas)
    if behavior is None:
        window_ms = controller.downscale_stabilization_ms
        stable = stabilization.without_behavior(log, desired, window_ms, now_ms)
        limited = limits.without_behavior(controller, current, stable.replicas, bounds)
    else:
        stable = stabilization.with_behavior(log, current, desired, windows(controller, behavior), now_ms)
        history = History(state.ups, state.downs, now_ms)
        limited = limits.with_behavior(behavior, history, current, stable.replicas, bounds)
    told = _told(told, desired, stable, limited, now_ms)
    return Normalized(limited.replicas, stable.log, told)


def windows(controller: Controller, behavior: Behavior) -> Windows:
    """Mirrors maybeInitScaleDownStabilizationWindow."""
    down_s = behavior.down.stabilization_s
    if down_s is None:
        down_s = controller.downscale_stabilization_ms // SECOND_MS
    return Windows(behavior.up.stabilization_s or 0, down_s)


def _told(told: Conditions, desired: int, stable: Stabilized, limited: Limited, now_ms: int) -> Conditions:
    able = "ReadyForNewScale" if stable.replicas == desired else stable.reason
    told = conditions.put(told, ConditionType.ABLE_TO_SCALE, True, able, now_ms)
    bound = limited.replicas != stable.replicas
    return conditions.put(told, ConditionType.SCALING_LIMITED, bound, limited.reason, now_ms)
