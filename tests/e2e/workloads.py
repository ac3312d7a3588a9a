"""Kubernetes objects of the tests: Deployments on KWOK's nodes and HPAs that follow at once."""

from collections.abc import Sequence

from tests.e2e.components.kube import Json

NAMESPACE = "e2e"
MAX_REPLICAS = 40
_AT_ONCE = {
    "stabilizationWindowSeconds": 0,
    "tolerance": "0",
    "policies": [{"type": "Pods", "value": MAX_REPLICAS, "periodSeconds": 1}],
}


def namespace() -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def deployment(name: str, replicas: int = 1) -> Json:
    labels = {"app": name}
    pod = {"containers": [{"name": "main", "image": "none"}], "terminationGracePeriodSeconds": 0}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def hpa(name: str, metrics: Sequence[Json]) -> Json:
    """One without delays of its own: what it does is what the metrics say."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": MAX_REPLICAS,
            "metrics": list(metrics),
            "behavior": {"scaleUp": _AT_ONCE, "scaleDown": _AT_ONCE},
        },
    }


def object_metric(name: str, metric: str, per_replica: str) -> Json:
    described = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "type": "Object",
        "object": {"describedObject": described, "metric": {"name": metric}, "target": _target(per_replica)},
    }


def pods_metric(metric: str, per_replica: str, selector: Json | None = None) -> Json:
    named = {"name": metric} | ({"selector": selector} if selector else {})
    return {"type": "Pods", "pods": {"metric": named, "target": _target(per_replica)}}


def external_metric(name: str, metric: str, per_replica: str) -> Json:
    named = {"name": metric, "selector": of_workload(name)}
    return {"type": "External", "external": {"metric": named, "target": _target(per_replica)}}


def of_workload(name: str) -> Json:
    """The selector of a metric's series that are the workload's."""
    return {"matchLabels": {"tidecast.dev/workload": name}}


def by_value(metric: Json) -> Json:
    """The same, Object or External, with a target for the value as it is served."""
    ((kind, spec),) = ((key, one) for key, one in metric.items() if key != "type")
    return metric | {kind: spec | {"target": {"type": "Value", "value": spec["target"]["averageValue"]}}}


def _target(per_replica: str) -> Json:
    return {"type": "AverageValue", "averageValue": per_replica}
