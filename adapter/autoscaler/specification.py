"""A live HPA as the algorithm takes it, and the names of the metrics that it reads."""

from adapter.autoscaler.live import LiveHpa, Metric
from adapter.hpa import spec
from cme.core.errors import InvalidInput


def spec_of(hpa: LiveHpa) -> spec.Spec:
    """Raises InvalidInput for metrics that are neither of an Object nor External."""
    where = f"HorizontalPodAutoscaler {hpa.metadata.namespace}/{hpa.metadata.name}"
    metrics = tuple(
        _metric(one, f"{where}, spec.metrics.{index}") for index, one in enumerate(hpa.spec.metrics)
    )
    return spec.Spec(hpa.spec.max_replicas, hpa.spec.min_replicas, metrics, hpa.behavior)


def names_of(hpa: LiveHpa) -> tuple[str, ...]:
    """Of the metrics, in their order; of such a spec each has a source."""
    return tuple(one.source.metric.name for one in hpa.spec.metrics if one.source)


def _metric(metric: Metric, where: str) -> spec.Metric:
    source = metric.object or metric.external
    if source is None:
        raise InvalidInput(
            f"a {metric.type} metric can't be followed over a past",
            where,
            "leave it out, or use an Object or External metric",
        )
    kind = spec.MetricType.OBJECT if metric.object else spec.MetricType.EXTERNAL
    if source.target.average_value is not None:
        return spec.Metric(kind, spec.Target(spec.TargetType.AVERAGE_VALUE, source.target.average_value))
    if source.target.value is not None:
        return spec.Metric(kind, spec.Target(spec.TargetType.VALUE, source.target.value))
    raise InvalidInput("its target has neither averageValue nor value", where, "give it one")
