"""What a request asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from adapter.api.status import ApiError

CUSTOM, EXTERNAL = "custom.metrics.k8s.io", "external.metrics.k8s.io"
VERSIONS = {CUSTOM: ("v1beta2", "v1beta1"), EXTERNAL: ("v1beta1",)}
"""Served versions, the preferred one first."""
KINDS = {CUSTOM: "MetricValueList", EXTERNAL: "ExternalMetricValueList"}
"""What a metric's answer is."""

NAMESPACES = "namespaces"
"""As the resource of a metric it means the Namespace itself."""

MAX_PATH = 1_024
"""Characters: more than the longest names that Kubernetes allows make, and few enough to be remembered."""

_REMEMBERED = 8192
"""An HPA asks for the same path every 15 seconds."""


@dataclass(frozen=True, slots=True)
class ObjectMetric:
    """Of custom.metrics.k8s.io; namespace "" for what has none, name "*" for many."""

    version: str
    namespace: str
    resource: str
    name: str
    metric: str


@dataclass(frozen=True, slots=True)
class ExternalMetric:
    namespace: str
    metric: str


Asked = ObjectMetric | ExternalMetric


@lru_cache(_REMEMBERED)
def read_path(raw_path: str) -> Asked | None:
    """What a path below /apis/GROUP/VERSION asks for; None when no metric is there. Raises ApiError 400."""
    match [unquote(part) for part in raw_path.split("/")]:
        case ["", "apis", group, version, *rest] if version in VERSIONS.get(group, ()) and all(rest):
            return _custom(version, rest) if group == CUSTOM else _external(rest)
    return None


def _custom(version: str, rest: Sequence[str]) -> ObjectMetric | None:
    match rest:
        case ["namespaces", namespace, "metrics", metric]:
            return ObjectMetric(version, "", NAMESPACES, namespace, metric)
        case ["namespaces", namespace, resource, name, metric]:
            return ObjectMetric(version, namespace, resource, name, metric)
        case ["namespaces", namespace, metric]:
            raise ApiError(
                400,
                f"invalid request path: a Namespace's metric is at namespaces/{namespace}/metrics/{metric}, "
                "an object's at namespaces/NAMESPACE/RESOURCE/NAME/METRIC",
            )
        case [resource, name, metric]:
            return ObjectMetric(version, "", resource, name, metric)
    return None


def _external(rest: Sequence[str]) -> ExternalMetric | None:
    match rest:
        case ["namespaces", namespace, metric]:
            return ExternalMetric(namespace, metric)
    return None
