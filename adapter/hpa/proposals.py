"""From all metrics to the replicas they call for."""

from collections.abc import Callable
from dataclasses import dataclass

from adapter.hpa.calculator import Calculator, Proposal
from adapter.hpa.failures import Cause, MetricFailed
from adapter.hpa.observation import Reading, Samples, Scale, Unavailable, Values
from adapter.hpa.spec import Metric, MetricType, TargetType


@dataclass(frozen=True, slots=True)
class Failure:
    reason: str
    """Of ScalingActive=False."""
    cause: Cause


Outcome = Proposal | Failure


@dataclass(frozen=True, slots=True)
class Choice:
    outcomes: tuple[Outcome, ...]
    """One per metric."""
    replicas: int
    metric: int | None
    """Which metric asked for them; None: no metric could."""
    failed: str
    """The reason of ScalingActive=False, "" where a choice was made."""


def choose(
    calculator: Calculator, metrics: tuple[Metric, ...], scale: Scale, seen: tuple[Reading, ...]
) -> Choice:
    """Mirrors computeReplicasForMetrics: the largest proposal; if any metric fails, only upwards."""
    outcomes = tuple(
        outcome(calculator, metric, scale, reading) for metric, reading in zip(metrics, seen, strict=True)
    )
    replicas, best = 0, None
    for index, one in enumerate(outcomes):
        if isinstance(one, Proposal) and (replicas == 0 or one.replicas > replicas):
            replicas, best = one.replicas, index
    failures = [one for one in outcomes if isinstance(one, Failure)]
    blocked = len(failures) == len(outcomes) or (bool(failures) and replicas < scale.replicas)
    if failures and blocked:
        return Choice(outcomes, 0, None, failures[0].reason)
    return Choice(outcomes, replicas, best, "")


def outcome(calculator: Calculator, metric: Metric, scale: Scale, reading: Reading) -> Outcome:
    """Mirrors computeReplicasForMetric."""
    try:
        return _propose(calculator, metric, scale, reading)
    except MetricFailed as error:
        given = reading.reason if isinstance(reading, Unavailable) else ""
        return Failure(given or f"FailedGet{metric.type}Metric", error.cause)


def _propose(calculator: Calculator, metric: Metric, scale: Scale, reading: Reading) -> Proposal:
    if isinstance(reading, Samples):
        return _of_pods(calculator, metric, scale.replicas, reading)
    if isinstance(reading, Values) and metric.type in _OF_VALUES:
        return _OF_VALUES[metric.type](calculator, metric, scale, reading)
    raise MetricFailed(Cause.UNAVAILABLE)


def _of_pods(calculator: Calculator, metric: Metric, current: int, reading: Samples) -> Proposal:
    """Mirrors computeStatusForPodsMetric and computeStatusForResourceMetricGeneric."""
    target = metric.target
    if target.type is TargetType.UTILIZATION:
        return calculator.utilization(current, target.amount, metric.resource, metric.container, reading.of)
    if target.type is TargetType.AVERAGE_VALUE:
        return calculator.average(current, target.amount, metric.resource, reading.of)
    raise MetricFailed(Cause.UNAVAILABLE)


def _of_object(calculator: Calculator, metric: Metric, scale: Scale, reading: Values) -> Proposal:
    """Mirrors computeStatusForObjectMetric."""
    target = metric.target
    if len(reading.m) != 1:
        raise MetricFailed(Cause.UNAVAILABLE)
    if target.type is TargetType.VALUE:
        return calculator.object_value(scale.replicas, target.amount, reading.m[0])
    return calculator.object_average(scale.status_replicas, target.amount, reading.m[0])


def _of_external(calculator: Calculator, metric: Metric, scale: Scale, reading: Values) -> Proposal:
    """Mirrors computeStatusForExternalMetric; an answer without items is an error."""
    target = metric.target
    if not reading.m:
        raise MetricFailed(Cause.UNAVAILABLE)
    if target.type is TargetType.VALUE:
        return calculator.external_value(scale.replicas, target.amount, reading.m)
    return calculator.external_average(scale.status_replicas, target.amount, reading.m)


_OF_VALUES: dict[MetricType, Callable[[Calculator, Metric, Scale, Values], Proposal]] = {
    MetricType.OBJECT: _of_object,
    MetricType.EXTERNAL: _of_external,
}
