"""Cases of the kind `reconcile`: one whole step of the controller."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapter.hpa import conditions
from adapter.hpa.cases import inputs
from adapter.hpa.cases.fields import Fields, Malformed
from adapter.hpa.cases.inputs import NOW_MS
from adapter.hpa.controller import Controller
from adapter.hpa.observation import (
    Container,
    Observation,
    Pod,
    Reading,
    Sample,
    Samples,
    Scale,
    Unavailable,
    Values,
)
from adapter.hpa.proposals import Failure, Outcome
from adapter.hpa.reconcile import Step, reconcile
from adapter.hpa.spec import Metric, MetricType, Spec, Target, TargetType
from adapter.hpa.state import ConditionType, ScaleEvents, State
from cme.core.errors import InvalidInput

_TARGETS = {
    "utilization": TargetType.UTILIZATION,
    "average_m": TargetType.AVERAGE_VALUE,
    "value_m": TargetType.VALUE,
}
_ANY_TARGET = Target(TargetType.AVERAGE_VALUE, 1)


def reconciled(controller: Controller, given: Fields) -> dict[str, Any]:
    """The step of a case, and the state that it leaves."""
    metrics: list[Metric] = []
    readings: list[Reading] = []
    pods: list[tuple[Pod, ...]] = []
    for one in given.each("metrics"):
        metric = _metric(one)
        seen, samples = inputs.pods(one, metric.resource) if "pods" in one else ((), {})
        metrics.append(metric)
        readings.append(_reading(one, samples))
        pods.append(seen)
    scale = Scale(given.integer("spec_replicas"), given.integer("status_replicas"))
    seen_now = Observation(
        scale,
        tuple(readings),
        _merged(pods),
        selector_error=given.optional("selector_error", given.text, ""),
        scale_writable=given.optional("scale_writable", given.flag, True),
    )
    spec = _spec(given, tuple(metrics))
    return _told(reconcile(controller, spec, _state(given), seen_now, NOW_MS))


def _spec(given: Fields, metrics: tuple[Metric, ...]) -> Spec:
    behavior = None if given.is_null("behavior") else inputs.behavior(given.inner("behavior"))
    minimum = given.optional("min_replicas", given.integer, 1)
    return Spec(given.integer("max_replicas"), minimum, metrics, behavior)


def _metric(fields: Fields) -> Metric:
    kind = inputs.choice(fields, "type", MetricType)
    container = inputs.CONTAINER if kind is MetricType.CONTAINER_RESOURCE else ""
    of_pods = kind in (MetricType.RESOURCE, MetricType.CONTAINER_RESOURCE) and "fails" not in fields
    resource = fields.text("resource") if of_pods else fields.optional("resource", fields.text, "")
    try:
        return Metric(kind, _target(fields), resource, container)
    except InvalidInput as error:
        raise Malformed(f"{fields.path}: {error}") from None


def _target(fields: Fields) -> Target:
    """A metric that fails need not say one."""
    target = fields.inner("target")
    given = [name for name in _TARGETS if name in target]
    if not given and "fails" in fields:
        return _ANY_TARGET
    if len(given) != 1:
        raise Malformed(f"{target.path} must have one of {', '.join(_TARGETS)}")
    return Target(_TARGETS[given[0]], target.integer(given[0]))


def _reading(fields: Fields, samples: Mapping[str, Sample]) -> Reading:
    if "fails" in fields:
        return Unavailable(fields.text("fails"))
    if "values_m" in fields:
        return Values(fields.integers("values_m"))
    if "usage_m" in fields:
        return Values((fields.integer("usage_m"),))
    if inputs.choice(fields, "type", MetricType) in (MetricType.OBJECT, MetricType.EXTERNAL):
        raise Malformed(f"{fields.path}.usage_m is missing")
    return Samples(samples)


def _merged(pods: Sequence[tuple[Pod, ...]]) -> tuple[Pod, ...]:
    """The pods as one list, though a case lists them with each metric: their requests are put together."""
    lists = [one for one in pods if one]
    if len({len(one) for one in lists}) > 1:
        raise Malformed("in.metrics list different numbers of pods")
    return tuple(_one_pod(same) for same in zip(*lists, strict=True))


def _one_pod(same: tuple[Pod, ...]) -> Pod:
    first = same[0]
    if any((one.phase, one.ready, one.deleted) != (first.phase, first.ready, first.deleted) for one in same):
        raise Malformed(f"in.metrics disagree on pod {first.name}")
    requests: dict[str, int] = {}
    whole: dict[str, int] = {}
    for one in same:
        requests |= one.containers[0].requests_m
        whole |= one.pod_requests_m or {}
    timed = next(
        (one for one in same if one.containers[0].requests_m), first
    )  # only Resource metrics heed times
    containers = (Container(inputs.CONTAINER, requests),)
    return replace(timed, containers=containers, pod_requests_m={**requests, **whole} if whole else None)


def _state(given: Fields) -> State:
    zero = given.optional("scaled_to_zero", given.flag, False)
    told = conditions.put((), ConditionType.SCALED_TO_ZERO, True, "ScaledToZero", NOW_MS) if zero else ()
    return State(
        recommendations=None if given.is_null("recommendations") else inputs.recommendations(given),
        ups=inputs.events(given, "scale_up_events") if "scale_up_events" in given else (),
        downs=inputs.events(given, "scale_down_events") if "scale_down_events" in given else (),
        conditions=told,
    )


def _told(step: Step) -> dict[str, Any]:
    told = step.state.conditions
    reasons = {condition.reason for _, condition in told}
    if any(kind is ConditionType.SCALING_ACTIVE and not one.status for kind, one in told):
        reasons.add("metrics_error")
    return {
        "replicas": step.desired,
        "reason": frozenset(reasons),
        "rescaled": step.rescaled,
        "desired_replicas": step.state.desired_replicas,
        "metrics": [_outcome(one) for one in step.outcomes],
        "conditions": {str(kind): [one.status, one.reason] for kind, one in told},
        "recommendations": [
            {"replicas": one.replicas, "age_s": _age(one.time_ms)} for one in step.state.recommendations or ()
        ],
        "scale_up_events": _events(step.state.ups),
        "scale_down_events": _events(step.state.downs),
    }


def _outcome(one: Outcome) -> dict[str, Any] | None:
    if isinstance(one, Failure):
        return None
    return {"usage_m": one.usage_m, "utilization": one.utilization}


def _events(events: ScaleEvents) -> list[dict[str, Any]]:
    return [{"change": one.change, "age_s": _age(one.time_ms), "outdated": one.outdated} for one in events]


def _age(time_ms: int) -> float:
    return (NOW_MS - time_ms) / 1000
