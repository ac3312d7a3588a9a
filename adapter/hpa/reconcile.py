"""One step of the controller for one HPA, as a pure function."""

from enum import StrEnum
from typing import NamedTuple

from adapter.hpa import conditions, events
from adapter.hpa.calculator import Calculator
from adapter.hpa.controller import Controller
from adapter.hpa.normalization import normalize
from adapter.hpa.observation import Observation, Scale
from adapter.hpa.proposals import Choice, Outcome, choose
from adapter.hpa.spec import MetricType, Spec
from adapter.hpa.state import Conditions, ConditionType, Recommendation, State
from adapter.hpa.tolerance import tolerances

_ABLE, _ACTIVE = ConditionType.ABLE_TO_SCALE, ConditionType.SCALING_ACTIVE
_FROM_OUTSIDE = {MetricType.OBJECT, MetricType.EXTERNAL}


class Why(StrEnum):
    """What made a step come out as it did."""

    NO_SCALE = "the scale could not be read"
    NO_METRIC = "no metric, or too few of them, could be read"
    DISABLED = "at zero, and not by the controller's doing"
    ABOVE_MAXIMUM = "above maxReplicas"
    BELOW_MINIMUM = "below minReplicas"
    ABOVE_TARGET = "a metric is above its target"
    BELOW_TARGET = "all metrics are below their targets"
    ON_TARGET = "metrics call for what there is"


class Step(NamedTuple):
    state: State
    """For the next step."""
    desired: int | None
    """What spec.replicas is after this step; None: unknown, the scale could not be read."""
    why: Why
    rescaled: bool = False
    outcomes: tuple[Outcome, ...] = ()
    """What each metric proposed; empty where none was read."""
    metric: int | None = None
    """Index of the metric that asked for most."""

    @property
    def reasons(self) -> dict[str, str]:
        """Condition -> reason."""
        return {str(kind): condition.reason for kind, condition in self.state.conditions}


def reconcile(controller: Controller, spec: Spec, state: State, seen: Observation, now_ms: int) -> Step:
    """Mirrors reconcileAutoscaler."""
    if seen.scale is None:
        told = conditions.put(state.conditions, _ABLE, False, "FailedGetScale", now_ms)
        return Step(state._replace(conditions=told), None, Why.NO_SCALE)
    state = _begun(state, seen.scale, now_ms)
    current = seen.scale.replicas
    if current == 0 and not _wakes(controller, spec, state):
        return _disabled(controller, state, now_ms)
    if current > spec.max_replicas:
        return _rescaled(controller, spec, state, seen, spec.max_replicas, Why.ABOVE_MAXIMUM, now_ms)
    if 0 < current < spec.min_replicas:
        return _rescaled(controller, spec, state, seen, spec.min_replicas, Why.BELOW_MINIMUM, now_ms)
    return _by_metrics(controller, spec, state, seen, now_ms)


def _begun(state: State, scale: Scale, now_ms: int) -> State:
    """Mirrors recordInitialRecommendation: the size found counts as recommended."""
    told = conditions.put(state.conditions, _ABLE, True, "SucceededGetScale", now_ms)
    log = state.recommendations
    if log is None:
        log = (Recommendation(scale.replicas, now_ms),)
    return state._replace(recommendations=log, conditions=told)


def _wakes(controller: Controller, spec: Spec, state: State) -> bool:
    """Mirrors shouldComputeMetricsForZeroReplicas; up to 1.33 minReplicas 0 is enough."""
    if not controller.wakes_by_condition:
        return spec.min_replicas == 0
    return _went_to_zero(controller, state) and (spec.min_replicas != 0 or _has_outside_metric(spec))


def _went_to_zero(controller: Controller, state: State) -> bool:
    return controller.scales_to_zero and conditions.is_true(state.conditions, ConditionType.SCALED_TO_ZERO)


def _has_outside_metric(spec: Spec) -> bool:
    """Mirrors hasObjectOrExternalMetrics."""
    return any(metric.type in _FROM_OUTSIDE for metric in spec.metrics)


def _disabled(controller: Controller, state: State, now_ms: int) -> Step:
    told = conditions.put(state.conditions, _ACTIVE, False, "ScalingDisabled", now_ms)
    if controller.wakes_by_condition and not controller.scales_to_zero:
        told = conditions.without(told, ConditionType.SCALED_TO_ZERO)
    return Step(state._replace(conditions=told, desired_replicas=0), 0, Why.DISABLED)


def _by_metrics(controller: Controller, spec: Spec, state: State, seen: Observation, now_ms: int) -> Step:
    assert seen.scale is not None
    current = seen.scale.replicas
    calculator = Calculator(controller, tolerances(controller, spec.behavior), seen.pods, now_ms)
    chosen = _chosen(calculator, spec, seen)
    if chosen.failed:
        told = conditions.put(state.conditions, _ACTIVE, False, chosen.failed, now_ms)
        return Step(state._replace(conditions=told), current, Why.NO_METRIC, outcomes=chosen.outcomes)
    told = conditions.put(state.conditions, _ACTIVE, True, "ValidMetricFound", now_ms)
    wanted = max(chosen.replicas, 0)
    done = normalize(controller, spec, state, told, current, wanted, now_ms)
    desired = done.replicas
    if current == 0 and controller.wakes_by_condition and spec.min_replicas != 0:
        desired = max(desired, spec.min_replicas)  # it was raised while at zero
    why = _why(wanted, current, desired)
    if desired == current:
        state = state._replace(recommendations=done.log, conditions=done.conditions, desired_replicas=current)
        return Step(state, current, why, False, chosen.outcomes, chosen.metric)
    state = state._replace(recommendations=done.log, conditions=done.conditions)
    step = _rescaled(controller, spec, state, seen, desired, why, now_ms)
    return step._replace(outcomes=chosen.outcomes, metric=chosen.metric)


def _chosen(calculator: Calculator, spec: Spec, seen: Observation) -> Choice:
    """Mirrors computeReplicasForMetrics with validateAndParseSelector, which comes first."""
    assert seen.scale is not None
    if seen.selector_error:
        return Choice((), 0, None, seen.selector_error)
    return choose(calculator, spec.metrics, seen.scale, seen.readings)


def _why(wanted: int, current: int, desired: int) -> Why:
    if wanted != current:
        return Why.ABOVE_TARGET if wanted > current else Why.BELOW_TARGET
    return Why.ON_TARGET if desired == current else Why.BELOW_MINIMUM


def _rescaled(
    controller: Controller, spec: Spec, state: State, seen: Observation, desired: int, why: Why, now_ms: int
) -> Step:
    """Mirrors the part of reconcileAutoscaler that writes the scale."""
    assert seen.scale is not None
    current = seen.scale.replicas
    if not seen.scale_writable:
        told = conditions.put(state.conditions, _ABLE, False, "FailedUpdateScale", now_ms)
        return Step(state._replace(conditions=told), current, why)
    told = conditions.put(state.conditions, _ABLE, True, "SucceededRescale", now_ms)
    told = _zero_told(controller, spec, told, current, desired, now_ms)
    state = _remembered(spec, state, current, desired, now_ms)
    state = state._replace(conditions=told, desired_replicas=desired, last_scale_ms=now_ms)
    return Step(state, desired, why, rescaled=True)


def _zero_told(
    controller: Controller, spec: Spec, told: Conditions, current: int, desired: int, now_ms: int
) -> Conditions:
    """Only a controller that went to zero itself may come back."""
    kind = ConditionType.SCALED_TO_ZERO
    if not controller.wakes_by_condition:
        return told
    if not controller.scales_to_zero:
        return conditions.without(told, kind)
    reached = current > 0 and desired == 0 and spec.min_replicas == 0 and _has_outside_metric(spec)
    reason = "ScaledToZero" if reached else "NotScaledToZero"
    return conditions.put(told, kind, reached, reason, now_ms)


def _remembered(spec: Spec, state: State, current: int, desired: int, now_ms: int) -> State:
    """Mirrors storeScaleEvent: without behavior nothing is stored."""
    behavior = spec.behavior
    if behavior is None:
        return state
    if desired > current:
        return state._replace(ups=events.stored(state.ups, desired - current, behavior.up, now_ms))
    return state._replace(downs=events.stored(state.downs, current - desired, behavior.down, now_ms))
