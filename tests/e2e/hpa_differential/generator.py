"""Random cases with the schema of `python -m adapter.hpa.cases`, less what they expect."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from tests.e2e.hpa_differential.draws import Draws

Case = dict[str, Any]
VERSION = "1.36"


def calculations(seed: int, count: int) -> Iterator[Case]:
    """Cases for the replica calculator."""
    return _cases(seed, count, _CALCULATIONS)


def decisions(seed: int, count: int) -> Iterator[Case]:
    """Cases for what the controller makes of a calculation, whole steps included."""
    return _cases(seed, count, _DECISIONS)


def _cases(seed: int, count: int, makers: Mapping[str, Callable[[Draws], Case]]) -> Iterator[Case]:
    draws = Draws(Random(seed))
    kinds = list(makers)
    kinds += [kind for kind in kinds if kind == "reconcile"] * 3  # the rest in one
    for number in range(count):
        kind = kinds[number % len(kinds)]
        given = makers[kind](draws)
        yield {"id": f"{kind}-{seed}-{number}", "kind": kind, "version": VERSION, "in": given, "expect": {}}


# ---- replica calculations


def _periods(draws: Draws) -> Case:
    return {
        "cpu_initialization_period_s": draws.random.choice((0, 120, 300)),
        "initial_readiness_delay_s": draws.random.choice((0, 10, 30)),
    }


def pods(draws: Draws, periods: Case, target: int) -> list[Case]:
    if draws.often(0.02):
        return []
    count = draws.random.randint(1, 5) if draws.often(0.95) else draws.random.randint(6, 60)
    calm = draws.often(0.3)  # all pods alike and well
    return [_pod(draws, periods, target, calm) for _ in range(count)]


def _pod(draws: Draws, periods: Case, target: int, calm: bool) -> Case:
    choose = draws.random.choices
    start = draws.about(periods["cpu_initialization_period_s"], periods["initial_readiness_delay_s"], 30)
    transition = draws.about(start, max(0.0, start - periods["initial_readiness_delay_s"]))
    window = draws.random.choice((0, 15, 30, 60))
    return {
        "phase": "Running"
        if calm
        else choose(("Running", "Pending", "Failed", "Succeeded"), (16, 2, 1, 1))[0],
        "ready": True if calm else choose((True, False, None), (14, 4, 1))[0],
        "deleted": not calm and draws.often(0.07),
        "start_age_s": None if draws.often(0.03) else start,
        "transition_age_s": transition,
        "metric_m": None if not calm and draws.often(0.15) else draws.near(target),
        "metric_age_s": draws.about(max(0.0, transition - window), transition, 0),
        "metric_window_s": window,
    }


def _of_pods(draws: Draws, target: int) -> Case:
    periods = _periods(draws)
    given = {"tolerance": draws.tolerance(), **periods, "pods": pods(draws, periods, target)}
    if draws.often(0.05):
        given["unknown_pod_metrics_m"] = [draws.near(target) for _ in range(draws.random.randint(1, 3))]
    given["current_replicas"] = len(given["pods"]) if draws.often(0.6) else draws.replicas()
    return given


def _utilization(draws: Draws) -> Case:
    percent = draws.random.choice((0, 1, 10, 30, 50, 80, 100, 110, 150)) if draws.often(0.7) else 61
    request = draws.random.choice((0, 1, 100, 1000, 1000, 2000, 2**40, 2**62))
    given = _of_pods(draws, max(1, request * percent // 100))
    for pod in given["pods"]:
        pod["request_m"] = None if draws.often(0.004) else request if draws.often(0.9) else draws.target()
        if draws.often(0.02):
            pod["pod_request_m"] = draws.target()
    container = draws.random.choices(("", "container", "other"), (10, 5, 1))[0]
    resource = draws.random.choice(("cpu", "cpu", "memory"))
    return {**given, "target_utilization": percent, "resource": resource, "container": container}


def _resource_average(draws: Draws) -> Case:
    target = draws.target()
    resource = draws.random.choice(("cpu", "cpu", "memory"))
    return {**_of_pods(draws, target), "target_average_m": target, "resource": resource}


def _pods_average(draws: Draws) -> Case:
    target = draws.target()
    return {**_of_pods(draws, target), "target_average_m": target}


def _object_value(draws: Draws) -> Case:
    target = draws.target()
    return {**_of_pods(draws, target), "target_value_m": target, "value_m": draws.near(target)}


def _external_value(draws: Draws) -> Case:
    target = draws.target()
    return {**_of_pods(draws, target), "target_value_m": target, "values_m": _values(draws, target)}


def _object_average(draws: Draws) -> Case:
    target, status = draws.target(), draws.replicas()
    given = {"status_replicas": status, "target_average_m": target, "value_m": draws.near(target, status)}
    return {**given, "tolerance": draws.tolerance()}


def _external_average(draws: Draws) -> Case:
    target, status = draws.target(), draws.replicas()
    values = _values(draws, target * status)
    return {
        "status_replicas": status,
        "target_average_m": target,
        "values_m": values,
        "tolerance": draws.tolerance(),
    }


def _values(draws: Draws, total: int) -> list[int]:
    if draws.often(0.7):
        return [draws.near(total)]
    count = draws.random.randint(2, 4)
    return [draws.near(total // count) for _ in range(count)]


_CALCULATIONS: dict[str, Callable[[Draws], Case]] = {
    "calc_resource_utilization": _utilization,
    "calc_resource_average": _resource_average,
    "calc_pods_average": _pods_average,
    "calc_object_value": _object_value,
    "calc_object_average": _object_average,
    "calc_external_value": _external_value,
    "calc_external_average": _external_average,
}


# ---- the controller


def _group(draws: Draws) -> Case:
    periods = _periods(draws)
    resource = draws.random.choice(("cpu", "cpu", "memory", ""))
    return {**periods, "resource": resource, "pods": pods(draws, periods, 1000)}


def _bounds(draws: Draws) -> Case:
    least = draws.replicas()
    most = least + draws.random.choice((0, 1, 5, 100, 1000))
    return {"min_replicas": least, "max_replicas": min(most, 2**31 - 1)}


def _move(draws: Draws) -> Case:
    current = draws.replicas()
    desired = draws.beside(current) if draws.often(0.5) else draws.replicas()
    return {"current_replicas": current, "desired": desired}


def _convert(draws: Draws) -> Case:
    factor, minimum = draws.random.choice(((2.0, 4.0), (8.0, 4.0), (1.5, 1.0)))
    limit = {"scale_up_limit_factor": factor, "scale_up_limit_minimum": minimum}
    return {**_move(draws), **_bounds(draws), **limit}


def _policy(draws: Draws) -> Case:
    kind = draws.random.choice(("Pods", "Percent"))
    values = (0, 1, 4, 10, 33, 50, 100, 150, 700, 2**31 - 1) if draws.often(0.9) else (7, 13, 29)
    return {
        "type": kind,
        "value": draws.random.choice(values),
        "period_s": draws.random.choice((1, 15, 30, 60, 120, 1800)),
    }


def rules(draws: Draws) -> Case | None:
    if draws.often(0.15):
        return None
    return {
        "stabilization_s": draws.random.choice((None, 0, 15, 60, 300, 3600)),
        "select": draws.random.choice(("Max", "Max", "Min", "Disabled", None)),
        "policies": None
        if draws.often(0.1)
        else [_policy(draws) for _ in range(draws.random.randint(0 if draws.often(0.05) else 1, 3))],
    }


def _events(draws: Draws) -> list[Case]:
    return [
        {
            "change": draws.random.choice((1, 2, 5, 10, 100, 10**9)),
            "age_s": draws.about(15, 30, 60, 120, 1800),
            "outdated": draws.often(0.2),
        }
        for _ in range(draws.random.choice((0, 0, 1, 2, 5)))
    ]


def _past(draws: Draws) -> Case:
    return {"scale_up_events": _events(draws), "scale_down_events": _events(draws)}


def _rate_limit(draws: Draws) -> Case:
    direction = {"scale_up": rules(draws), "scale_down": rules(draws)}
    return {**_move(draws), **_bounds(draws), **direction, **_past(draws)}


def _limit(draws: Draws) -> Case:
    return {"current_replicas": draws.replicas(), "rules": rules(draws) or {}, **_past(draws)}


def _recommendations(draws: Draws, near: int) -> list[Case]:
    return [
        {
            "replicas": draws.beside(near) if draws.often(0.8) else draws.replicas(),
            "age_s": draws.about(0, 15, 60, 300, 3600),
        }
        for _ in range(draws.random.choice((0, 1, 2, 4, 8)))
    ]


def _stabilize(draws: Draws) -> Case:
    desired = draws.replicas()
    window = draws.random.choice((0, 15, 60, 300))
    return {"desired": desired, "window_s": window, "recommendations": _recommendations(draws, desired)}


def _stabilize_with_behavior(draws: Draws) -> Case:
    move = _move(draws)
    return {
        **move,
        "up_window_s": draws.random.choice((0, 15, 60, 300, 3600)),
        "down_window_s": draws.random.choice((0, 15, 60, 300, 3600)),
        "recommendations": _recommendations(draws, move["desired"]),
    }


def _store(draws: Draws) -> Case:
    return {
        "previous": _events(draws),
        "rules": rules(draws),
        "change": draws.random.choice((1, 2, 5, 100)),
        "window_for_sum_s": draws.random.choice((15, 60, 1800)),
    }


# ---- whole steps


def _reconcile(draws: Draws) -> Case:
    current = 0 if draws.often(0.1) else draws.replicas()
    status = current if draws.often(0.8) else draws.replicas()
    least = draws.random.choice((0, 0, 1, 2, current, current + 1))
    behavior = None
    if draws.often(0.6):
        behavior = {"scale_up": _tolerant(draws), "scale_down": _tolerant(draws)}
    periods = _periods(draws)
    metrics = _metrics(draws, periods, status)
    return {
        "gates": {
            "HPAScaleToZero": draws.often(0.6),
            "HPAConfigurableTolerance": draws.often(0.8),
            "PodLevelResources": draws.often(0.8),
        },
        "min_replicas": None if draws.often(0.1) else min(least, 2**31 - 1),
        "max_replicas": min(2**31 - 1, max(1, least, current + draws.random.choice((-1, 0, 1, 3, 10, 1000)))),
        "spec_replicas": current,
        "status_replicas": status,
        "config": _config(draws, periods),
        "behavior": behavior,
        "metrics": metrics,
        "recommendations": None if draws.often(0.2) else _recommendations(draws, current),
        **_past(draws),
        "scaled_to_zero": draws.often(0.5),
        "selector_error": _selector_error(draws, metrics),
        "scale_writable": draws.often(0.95),
    }


def _selector_error(draws: Draws, metrics: list[Case]) -> str:
    """Without pods a selector is nobody else's."""
    errors = ("", "InvalidSelector", "AmbiguousSelector" if metrics[0]["pods"] else "")
    return draws.random.choices(errors, (96, 2, 2))[0]


def _config(draws: Draws, periods: Case) -> Case:
    tolerance = draws.random.choice((0.1, 0.1, 0.05, 0.0))
    return {
        "tolerance": {"down": tolerance, "up": tolerance},
        "downscale_stabilization_s": draws.random.choice((0, 15, 60, 300)),
        **periods,
        "scale_up_limit_factor": draws.random.choice((2.0, 2.0, 8.0)),
        "scale_up_limit_minimum": 4.0,
    }


def _tolerant(draws: Draws) -> Case | None:
    given = rules(draws)
    if given is not None and draws.often(0.4):
        given["tolerance"] = draws.random.choice(
            ("0", "0.07", "70m", "0.1", "0.05", "0.333", "1", "2.5", "0.0001", "29m", "0.57", "123u")
        )
    return given


def _metrics(draws: Draws, periods: Case, status: int) -> list[Case]:
    """One to three metrics of different types, which all list the same pods."""
    types = ("Resource", "ContainerResource", "Pods", "Object", "External")
    kinds = draws.random.sample(types, draws.random.choice((1, 1, 1, 2, 3)))
    shared = pods(draws, periods, 1000)
    return [_metric(draws, kind, shared, status) for kind in kinds]


def _metric(draws: Draws, kind: str, shared: list[Case], status: int) -> Case:
    target = draws.target()
    own = [{**pod, "metric_m": None if pod["metric_m"] is None else draws.near(target)} for pod in shared]
    metric: Case = {"type": kind, "pods": own}
    if draws.often(0.15):
        return {**metric, "fails": f"FailedGet{kind}Metric", "target": {}, "resource": ""}
    if kind in ("Object", "External"):
        name, times = draws.random.choice((("value_m", 1), ("average_m", max(1, status))))
        values = [draws.near(target, times)] if kind == "Object" else _values(draws, target * times)
        return {**metric, "target": {name: target}, "values_m": values}
    if kind == "Pods":
        return {**metric, "target": {"average_m": target}}
    metric["resource"] = "cpu" if kind == "Resource" else "memory"
    if draws.often(0.4):
        return {**metric, "target": {"average_m": target}}
    percent = draws.random.choice((1, 30, 50, 80, 100, 150))
    request = draws.random.choice((100, 1000, 2000))
    for pod in own:
        pod["request_m"] = None if draws.often(0.02) else request
        if pod["metric_m"] is not None:
            pod["metric_m"] = draws.near(request * percent // 100)
        if draws.often(0.03):
            pod["pod_request_m"] = draws.target()
    return {**metric, "target": {"utilization": percent}}


def _tolerance(draws: Draws) -> Case:
    digits, places = draws.random.randint(0, 3000), draws.random.choice((0, 1, 2, 3, 4, 6, 9, 11))
    suffix = draws.random.choice(("", "", "m", "u", "n"))
    text = f"{digits:0{places + 1}d}"
    return {"quantity": (f"{text[:-places]}.{text[-places:]}" if places else text) + suffix}


_DECISIONS: dict[str, Callable[[Draws], Case]] = {
    "group_pods": _group,
    "convert_without_behavior": _convert,
    "rate_limit_with_behavior": _rate_limit,
    "scale_up_limit": _limit,
    "scale_down_limit": _limit,
    "stabilize_without_behavior": _stabilize,
    "stabilize_with_behavior": _stabilize_with_behavior,
    "store_scale_event": _store,
    "tolerance": _tolerance,
    "reconcile": _reconcile,
}
