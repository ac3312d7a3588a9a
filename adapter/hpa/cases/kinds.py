"""Every kind of case: what the model answers to its inputs."""

from collections.abc import Callable, Mapping
from typing import Any

from adapter.hpa import events, grouping, limits, stabilization
from adapter.hpa.calculator import Calculator, Proposal
from adapter.hpa.cases import inputs, steps
from adapter.hpa.cases.fields import Fields, Malformed
from adapter.hpa.cases.inputs import NOW_MS
from adapter.hpa.controller import VERSIONS, Controller
from adapter.hpa.failures import Cause, MetricFailed
from adapter.hpa.limits import Bounds, History
from adapter.hpa.observation import Sample
from adapter.hpa.spec import Rules, ScaleDown, ScaleUp
from adapter.hpa.stabilization import Windows

Answer = dict[str, Any]
_ERRORS: Mapping[Cause, frozenset[str]] = {
    cause: frozenset({str(cause), "metrics_error"}) for cause in Cause
} | {
    # What "no metrics" means differs between an empty answer and one without usable pods; cases need not tell.
    Cause.UNAVAILABLE: frozenset({"unavailable", "no_metrics", "metrics_error"}),
}
"""The names by which a case may expect an error."""


def answer(kind: str, version: str, given: Fields) -> Answer:
    """What the model makes of a case, in the words of `expect`. Raises Malformed."""
    if kind not in KINDS:
        raise Malformed(f"unknown kind {kind!r}")
    if version not in VERSIONS:
        raise Malformed(f"unknown version {version!r}; known: {', '.join(VERSIONS)}")
    controller = inputs.controller(_controller_of(kind, version), given)
    try:
        return KINDS[kind](controller, given)
    except MetricFailed as error:
        return {"error": _ERRORS[error.cause]}


def _controller_of(kind: str, version: str) -> str:
    """Upstream's table of calculations that the cases call 1.33 is a later one.

    It asks for caps (MaxInt32 replicas, MaxInt64 sums) that 1.33.13 does not have and 1.36.3 has.
    """
    later = version == "1.33" and (kind.startswith("calc_") or kind == "group_pods")
    return "1.36" if later else version


def _calculator(controller: Controller, given: Fields) -> tuple[Calculator, Mapping[str, Sample]]:
    resource = given.optional("resource", given.text, "")
    pods, samples = inputs.pods(given, resource) if "pods" in given else ((), {})
    return Calculator(controller, inputs.tolerances(given, controller), pods, NOW_MS), samples


def _utilization(controller: Controller, given: Fields) -> Answer:
    calculator, samples = _calculator(controller, given)
    current, target = given.integer("current_replicas"), given.integer("target_utilization")
    container = given.optional("container", given.text, "")
    done = calculator.utilization(current, target, given.text("resource"), container, samples)
    return {"replicas": done.replicas, "utilization": done.utilization, "raw_average_m": done.usage_m}


def _average(controller: Controller, given: Fields) -> Answer:
    """Of a Pods metric, or of a resource if one is named."""
    calculator, samples = _calculator(controller, given)
    current, target = given.integer("current_replicas"), given.integer("target_average_m")
    resource = given.optional("resource", given.text, "")
    done = calculator.average(current, target, resource, samples)
    return {"replicas": done.replicas, "average_m": done.usage_m}


def _object_value(controller: Controller, given: Fields) -> Answer:
    calculator, _ = _calculator(controller, given)
    current, target = given.integer("current_replicas"), given.integer("target_value_m")
    return _value(calculator.object_value(current, target, given.integer("value_m")))


def _external_value(controller: Controller, given: Fields) -> Answer:
    calculator, _ = _calculator(controller, given)
    current, target = given.integer("current_replicas"), given.integer("target_value_m")
    return _value(calculator.external_value(current, target, given.integers("values_m")))


def _value(done: Proposal) -> Answer:
    return {"replicas": done.replicas, "usage_m": done.usage_m}


def _object_average(controller: Controller, given: Fields) -> Answer:
    calculator, _ = _calculator(controller, given)
    status, target = given.integer("status_replicas"), given.integer("target_average_m")
    done = calculator.object_average(status, target, given.integer("value_m"))
    return {"replicas": done.replicas, "average_m": done.usage_m}


def _external_average(controller: Controller, given: Fields) -> Answer:
    calculator, _ = _calculator(controller, given)
    status, target = given.integer("status_replicas"), given.integer("target_average_m")
    done = calculator.external_average(status, target, given.integers("values_m"))
    return {"replicas": done.replicas, "average_m": done.usage_m}


def _group_pods(controller: Controller, given: Fields) -> Answer:
    resource = given.text("resource")
    pods, samples = inputs.pods(given, resource)
    groups = grouping.group_pods(controller, pods, samples, resource, NOW_MS)
    return {
        "ready_count": groups.ready,
        "unready": [int(name) for name in groups.unready],
        "missing": [int(name) for name in groups.missing],
        "ignored": [int(name) for name in groups.ignored],
    }


def _convert(controller: Controller, given: Fields) -> Answer:
    current, desired = given.integer("current_replicas"), given.integer("desired")
    done = limits.without_behavior(controller, current, desired, _bounds(given))
    return {"replicas": done.replicas, "reason": done.reason}


def _rate_limit(controller: Controller, given: Fields) -> Answer:
    current, desired = given.integer("current_replicas"), given.integer("desired")
    behavior = inputs.behavior(given)
    done = limits.with_behavior(behavior, _history(given), current, desired, _bounds(given))
    return {"replicas": done.replicas, "reason": done.reason}


def _up_limit(controller: Controller, given: Fields) -> Answer:
    rules = inputs.rules(given.inner("rules"), ScaleUp())
    return {"limit": limits.up_limit(rules, _history(given), given.integer("current_replicas"))}


def _down_limit(controller: Controller, given: Fields) -> Answer:
    rules = inputs.rules(given.inner("rules"), ScaleDown())
    return {"limit": limits.down_limit(rules, _history(given), given.integer("current_replicas"))}


def _bounds(given: Fields) -> Bounds:
    return Bounds(given.integer("min_replicas"), given.integer("max_replicas"))


def _history(given: Fields) -> History:
    ups, downs = inputs.events(given, "scale_up_events"), inputs.events(given, "scale_down_events")
    return History(ups, downs, NOW_MS)


def _stabilize(controller: Controller, given: Fields) -> Answer:
    log, window_ms = inputs.recommendations(given), given.milliseconds("window_s")
    done = stabilization.without_behavior(log, given.integer("desired"), window_ms, NOW_MS)
    return {
        "replicas": done.replicas,
        "log_length": len(done.log),
        "log": [one.replicas for one in done.log],
    }


def _stabilize_with_behavior(controller: Controller, given: Fields) -> Answer:
    windows = Windows(given.integer("up_window_s"), given.integer("down_window_s"))
    current, desired = given.integer("current_replicas"), given.integer("desired")
    log = inputs.recommendations(given)
    done = stabilization.with_behavior(log, current, desired, windows, NOW_MS)
    kept = [one.replicas for one in done.log]
    return {"replicas": done.replicas, "log": kept, "log_length": len(kept), "reason": done.reason}


def _store(controller: Controller, given: Fields) -> Answer:
    """Both directions store alike; without rules (no behavior) nothing is stored."""
    before, change = inputs.events(given, "previous"), given.integer("change")
    summed = events.change_within(before, given.integer("window_for_sum_s"), NOW_MS)
    after = before
    if not given.is_null("rules"):
        rules: Rules = inputs.rules(given.inner("rules"), ScaleUp())
        after = events.stored(before, change, rules, NOW_MS)
    kept = [{"change": one.change, "outdated": one.outdated} for one in after]
    return {"events": kept, "sum_of_previous_in_window": summed}


def _tolerance(controller: Controller, given: Fields) -> Answer:
    return {"tolerance": inputs.quantity(given, "quantity")}


KINDS: Mapping[str, Callable[[Controller, Fields], Answer]] = {
    "calc_resource_utilization": _utilization,
    "calc_resource_average": _average,
    "calc_pods_average": _average,
    "calc_object_value": _object_value,
    "calc_object_average": _object_average,
    "calc_external_value": _external_value,
    "calc_external_average": _external_average,
    "group_pods": _group_pods,
    "convert_without_behavior": _convert,
    "rate_limit_with_behavior": _rate_limit,
    "scale_up_limit": _up_limit,
    "scale_down_limit": _down_limit,
    "stabilize_without_behavior": _stabilize,
    "stabilize_with_behavior": _stabilize_with_behavior,
    "store_scale_event": _store,
    "tolerance": _tolerance,
    "reconcile": steps.reconciled,
}
