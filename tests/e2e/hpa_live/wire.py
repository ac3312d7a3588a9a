"""Readings as the bodies of the three metrics APIs (docs/metrics-api.md)."""

from adapter.hpa.observation import Sample, Samples, Values
from adapter.hpa.spec import Metric, MetricType
from cme.core.quantity import format_quantity
from tests.e2e.components.kube import Json
from tests.e2e.hpa_live.generator import MAIN
from tests.e2e.hpa_live.manifests import time

CUSTOM, EXTERNAL, RESOURCES = (
    "custom.metrics.k8s.io/v1beta2",
    "external.metrics.k8s.io/v1beta1",
    "metrics.k8s.io/v1beta1",
)
NOW_UNIMPORTANT = "2026-01-01T00:00:00Z"
"""Only samples of CPU are judged by their time."""


def body(metric: Metric, reading: Samples | Values) -> Json:
    """What the API that has the metric answers."""
    if isinstance(reading, Values):
        return _external(reading) if metric.type is MetricType.EXTERNAL else _of_object(reading)
    if metric.type is MetricType.PODS:
        return _list("MetricValueList", CUSTOM, [_of_pod(name, one) for name, one in reading.of.items()])
    items = [_usage(name, metric, one) for name, one in reading.of.items()]
    return _list("PodMetricsList", RESOURCES, items)


def _list(kind: str, version: str, items: list[Json]) -> Json:
    return {"kind": kind, "apiVersion": version, "metadata": {}, "items": items}


def _external(reading: Values) -> Json:
    common = {"metricName": "any", "metricLabels": {}, "timestamp": NOW_UNIMPORTANT}
    return _list(
        "ExternalMetricValueList", EXTERNAL, [{**common, "value": format_quantity(one)} for one in reading.m]
    )


def _of_object(reading: Values) -> Json:
    return _list("MetricValueList", CUSTOM, [_described("Deployment", "any", one) for one in reading.m])


def _of_pod(name: str, sample: Sample) -> Json:
    described = _described("Pod", name, sample.value_m)
    return {**described, "timestamp": time(sample.time_ms), "windowSeconds": sample.window_ms // 1000}


def _described(kind: str, name: str, value_m: int) -> Json:
    return {
        "describedObject": {"kind": kind, "name": name},
        "metric": {"name": "any", "selector": None},
        "timestamp": NOW_UNIMPORTANT,
        "value": format_quantity(value_m),
    }


def _usage(name: str, metric: Metric, sample: Sample) -> Json:
    containers = [
        {"name": metric.container or MAIN, "usage": {metric.resource: format_quantity(sample.value_m)}}
    ]
    return {
        "metadata": {"name": name},
        "timestamp": time(sample.time_ms),
        "window": f"{sample.window_ms // 1000}s",
        "containers": containers,
    }
