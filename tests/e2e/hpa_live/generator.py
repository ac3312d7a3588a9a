"""Random workloads, and random answers to what their HPAs ask."""

from random import Random

from adapter.hpa.arithmetic import INT32_MAX, INT64_MAX
from adapter.hpa.observation import Container, Pod, Reading, Sample, Samples, Unavailable, Values
from adapter.hpa.spec import (
    Behavior,
    Metric,
    MetricType,
    Policy,
    PolicyType,
    Rules,
    ScaleDown,
    ScaleUp,
    Select,
    Spec,
    Target,
    TargetType,
)
from adapter.hpa.tolerance import from_quantity
from cme.core.durations import SECOND_MS
from tests.e2e.hpa_differential.draws import Draws
from tests.e2e.hpa_live.workload import Workload

TOLERANCES = {from_quantity(text): text for text in ("0", "0.05", "0.07", "29m", "0.333", "1")}
"""As a double, and as in a manifest."""

LEAST_M = -(10**18) + 1
"""Negative quantities of more digits are mangled by apimachinery's scaledValue before the algorithm sees them."""

SPECS = 3
"""Of each workload."""

MAIN, SIDE = "main", "side"
"""Every pod has the first container, some have the second."""

OF_THE_WHOLE = {"cpu": 3000, "memory": 5_000_000}
"""What a pod requests as a whole, if it does; no less than its containers together."""

_OUTSIDE = (MetricType.OBJECT, MetricType.EXTERNAL)
_OF_RESOURCES = (MetricType.RESOURCE, MetricType.CONTAINER_RESOURCE)
_WINDOWS_S, _PERIODS_S = (1, 2, 3, 5), (1, 3, 5, 10)
"""Short, so that a minute sees many of them pass."""


def workloads(seed: int, count: int, now_ms: int) -> list[Workload]:
    """Pods that start and get ready about `now_ms`, with times that are whole seconds as in the API."""
    draws = Draws(Random(seed))
    return [_workload(draws, f"w{seed}n{number}", now_ms - now_ms % SECOND_MS) for number in range(count)]


def _workload(draws: Draws, name: str, now_ms: int) -> Workload:
    choose = draws.random.choice
    kinds = [MetricType.PODS, *_OUTSIDE, choose(_OF_RESOURCES)]
    metrics = tuple(_metric(draws, kind) for kind in draws.random.sample(kinds, choose((1, 1, 1, 2, 3))))
    specs = tuple(_spec(draws, metrics) for _ in range(SPECS))
    pods = tuple(_pod(draws, f"{name}-{number}", now_ms) for number in range(choose((0, 2, 3, 4, 5, 8))))
    return Workload(name, specs, pods, choose((1, 2, 5, len(pods))))


def _spec(draws: Draws, metrics: tuple[Metric, ...]) -> Spec:
    choose = draws.random.choice
    zero = any(metric.type in _OUTSIDE for metric in metrics) and draws.often(0.5)
    least = 0 if zero else choose((1, 1, 2, 5))
    most = INT32_MAX if draws.often(0.05) else max(1, least + choose((0, 5, 20, 100, 100)))
    behavior = None if draws.often(0.3) else Behavior(_up(draws), _down(draws))
    return Spec(most, least, metrics, behavior)


def _metric(draws: Draws, kind: MetricType) -> Metric:
    average = Target(TargetType.AVERAGE_VALUE, max(1, draws.target()))
    if kind is MetricType.PODS:
        return Metric(kind, average)
    if kind in _OUTSIDE:
        return Metric(kind, Target(TargetType.VALUE, average.amount) if draws.often(0.5) else average)
    percent = Target(TargetType.UTILIZATION, draws.random.choice((10, 50, 80, 100, 150)))
    resource = draws.random.choice(("cpu", "cpu", "memory"))
    small = Target(TargetType.AVERAGE_VALUE, 1000 * draws.random.choice((1, 50, 2000)))
    container = draws.random.choice((MAIN, MAIN, SIDE)) if kind is MetricType.CONTAINER_RESOURCE else ""
    return Metric(kind, percent if draws.often(0.7) else small, resource, container)


def _up(draws: Draws) -> Rules:
    if draws.often(0.15):
        return ScaleUp()
    return ScaleUp(
        draws.random.choice((0, 0, *_WINDOWS_S)), _select(draws), _policies(draws), _tolerance(draws)
    )


def _down(draws: Draws) -> Rules:
    if draws.often(0.15):
        return ScaleDown()
    window = draws.random.choice((None, 0, 0, *_WINDOWS_S))
    return ScaleDown(window, _select(draws), _policies(draws), _tolerance(draws))


def _select(draws: Draws) -> Select:
    return draws.random.choices((Select.MAX, Select.MIN, Select.DISABLED), (10, 9, 1))[0]


def _policies(draws: Draws) -> tuple[Policy, ...]:
    kinds, amounts = (PolicyType.PODS, PolicyType.PERCENT), (1, 2, 4, 10, 33, 50, 100, 150)
    choose = draws.random.choice
    return tuple(
        Policy(choose(kinds), choose(amounts), choose(_PERIODS_S)) for _ in range(choose((1, 1, 2, 3)))
    )


def _tolerance(draws: Draws) -> float | None:
    return draws.random.choice(tuple(TOLERANCES)) if draws.often(0.4) else None


def _pod(draws: Draws, name: str, now_ms: int) -> Pod:
    choose = draws.random.choices
    start_s = draws.random.randint(-30, 20)
    transition_s = start_s + draws.random.choice((-1, 0, 2, 3, 4, 10, 20))
    requests = {"cpu": draws.random.choice((100, 1000)), "memory": 1000 * draws.random.choice((100, 2000))}
    if draws.often(0.02):
        requests = {}
    side = (Container(SIDE, {"cpu": 10, "memory": 10_000}),) if draws.often(0.3) else ()
    return Pod(
        name,
        choose(("Running", "Pending", "Failed", "Succeeded"), (16, 2, 1, 1))[0],
        choose(("True", "False", "Unknown", None), (16, 4, 1, 1))[0],
        deleted=draws.often(0.07),
        start_ms=None if draws.often(0.03) else now_ms + start_s * SECOND_MS,
        transition_ms=now_ms + transition_s * SECOND_MS,
        containers=(Container(MAIN, requests), *side),
        pod_requests_m=OF_THE_WHOLE if draws.often(0.1) else None,
    )


def reading(draws: Draws, workload: Workload, index: int, now_ms: int) -> Reading:
    """An answer to the metric of that index."""
    metric = workload.metrics[index]
    if draws.often(0.07):
        return Unavailable()
    if metric.type in _OUTSIDE:
        return Values(_values(draws, metric, max(1, len(workload.pods))))
    return Samples(_samples(draws, metric, workload, now_ms))


def _values(draws: Draws, metric: Metric, replicas: int) -> tuple[int, ...]:
    """For an External metric several numbers at times; for both sometimes a wrong number of them."""
    times = replicas if metric.target.type is TargetType.AVERAGE_VALUE else 1
    total = max(LEAST_M, draws.near(metric.target.amount, times))
    if draws.often(0.04):
        return () if draws.often(0.5) else (total, total)
    if metric.type is MetricType.EXTERNAL and draws.often(0.3):
        return (total // 3, total - total // 3)
    return (total,)


def _samples(draws: Draws, metric: Metric, workload: Workload, now_ms: int) -> dict[str, Sample]:
    """Of most pods, with about the same number, and at times of one that nobody knows."""
    strangers = ("stranger",) if draws.often(0.05) else ()
    names = [pod.name for pod in workload.pods if not draws.often(0.1)]
    level = max(LEAST_M, draws.near(_usual(metric, workload)))
    return {name: _sample(draws, metric, level, now_ms) for name in (*names, *strangers)}


def _usual(metric: Metric, workload: Workload) -> int:
    """The value at which a pod is on its target."""
    if metric.target.type is not TargetType.UTILIZATION:
        return metric.target.amount
    requests = workload.pods[0].containers[0].requests_m if workload.pods else {}
    return requests.get(metric.resource, 1000) * metric.target.amount // 100


def _sample(draws: Draws, metric: Metric, level: int, now_ms: int) -> Sample:
    value = level if draws.often(0.6) else draws.random.randint(0, max(2, 2 * abs(level)))
    if metric.type in _OF_RESOURCES:  # usage is never negative, and memory is of whole bytes
        value = abs(value) if metric.resource == "cpu" else abs(value) // 1000 * 1000
    age_s, window_s = draws.random.choice((0, 1, 5)), draws.random.choice((1, 15, 30))
    return Sample(
        min(value, INT64_MAX), now_ms // SECOND_MS * SECOND_MS - age_s * SECOND_MS, window_s * SECOND_MS
    )
