"""A workload as objects of the API."""

from collections.abc import Mapping
from datetime import UTC, datetime

from adapter.hpa.observation import Pod
from adapter.hpa.spec import Metric, MetricType, Rules, TargetType
from cme.core.quantity import format_quantity
from tests.e2e.components.kube import Json
from tests.e2e.hpa_live.generator import TOLERANCES
from tests.e2e.hpa_live.workload import Workload

KEPT = "tidecast.dev/kept"
"""The finalizer that leaves a deleted pod where it is."""

WHICH = "tidecast.dev/spec"
"""The annotation that tells which of a workload's specs an HPA has."""


def time(ms: int) -> str:
    """As metav1.Time: whole seconds."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(workload: Workload, namespace: str) -> Json:
    """It takes any size; no controller makes pods of it."""
    template = {
        "metadata": {"labels": _labels(workload)},
        "spec": {"containers": [{"name": "any", "image": "none"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": workload.name, "namespace": namespace},
        "spec": {
            "replicas": workload.replicas,
            "selector": {"matchLabels": _labels(workload)},
            "template": template,
        },
    }


def _labels(workload: Workload) -> Json:
    return {"app": workload.name}


def pod(workload: Workload, one: Pod, namespace: str) -> Json:
    """Without a node; `pod_status` says what it is like."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": one.name,
            "namespace": namespace,
            "labels": _labels(workload),
            "finalizers": [KEPT],
        },
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                {"name": each.name, "image": "none", **_requests(each.requests_m)} for each in one.containers
            ],
            **_requests(one.pod_requests_m or {}),
        },
    }


def _requests(requests_m: Mapping[str, int]) -> Json:
    requests = {resource: format_quantity(amount) for resource, amount in requests_m.items()}
    return {"resources": {"requests": requests}} if requests else {}


def pod_status(one: Pod) -> Json:
    ready = {"type": "Ready", "status": one.ready, "lastTransitionTime": time(one.transition_ms)}
    start = {} if one.start_ms is None else {"startTime": time(one.start_ms)}
    return {"status": {"phase": one.phase, "conditions": [ready] if one.ready else [], **start}}


def hpa(workload: Workload, which: int, namespace: str) -> Json:
    """With the spec of that index, which an annotation names."""
    spec = workload.specs[which]
    metrics = [_metric(workload, index, metric) for index, metric in enumerate(spec.metrics)]
    behavior = spec.behavior
    rules = {"scaleUp": _rules(behavior.up), "scaleDown": _rules(behavior.down)} if behavior else None
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": workload.name, "namespace": namespace, "annotations": {WHICH: str(which)}},
        "spec": {
            "scaleTargetRef": _target_ref(workload),
            "minReplicas": spec.min_replicas,
            "maxReplicas": spec.max_replicas,
            "metrics": metrics,
            **({"behavior": rules} if rules else {}),
        },
    }


def _target_ref(workload: Workload) -> Json:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name}


def _metric(workload: Workload, index: int, metric: Metric) -> Json:
    named: Json = {"metric": {"name": workload.metric_name(index)}}
    match metric.type:
        case MetricType.RESOURCE:
            named = {"name": metric.resource}
        case MetricType.CONTAINER_RESOURCE:
            named = {"name": metric.resource, "container": metric.container}
        case MetricType.OBJECT:
            named["describedObject"] = _target_ref(workload)
    return {"type": str(metric.type), field_of(metric.type): {**named, "target": _target(metric)}}


def field_of(kind: MetricType) -> str:
    """Where a metric, or its status, has what is special to its type."""
    return kind[0].lower() + kind[1:]


def _target(metric: Metric) -> Json:
    amount = metric.target.amount
    match metric.target.type:
        case TargetType.UTILIZATION:
            return {"type": "Utilization", "averageUtilization": amount}
        case TargetType.AVERAGE_VALUE:
            return {"type": "AverageValue", "averageValue": format_quantity(amount)}
        case TargetType.VALUE:
            return {"type": "Value", "value": format_quantity(amount)}


def _rules(rules: Rules) -> Json:
    policies = [
        {"type": str(one.type), "value": one.value, "periodSeconds": one.period_s} for one in rules.policies
    ]
    left_out: Json = {"stabilizationWindowSeconds": rules.stabilization_s}
    if rules.tolerance is not None:
        left_out["tolerance"] = TOLERANCES[rules.tolerance]
    given = {name: value for name, value in left_out.items() if value is not None}
    return {"selectPolicy": str(rules.select), "policies": policies, **given}
