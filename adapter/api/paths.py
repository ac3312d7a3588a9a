"""What a request asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from adapter.api.status import ApiError

CUSTOM, EXTERNAL = "custom.metrics.k8s.io", "external.metrics.k8s.io"
VERSIONS = {CUSTOM: ("v1beta2", "v1beta1"), EXTERNAL: ("v1beta1",)}
"""Served versions, the preferred one first."""


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


@dataclass(frozen=True, slots=True)
class ResourceList:
    """Discovery of a group's version."""

    group: str
    version: str


Asked = ObjectMetric | ExternalMetric | ResourceList


def read_path(raw_path: str) -> Asked | None:
    """What a path below /apis/GROUP/VERSION asks for; None when there is nothing there."""
    match [unquote(part) for part in raw_path.split("/")]:
        case ["", "apis", group, version, *rest] if version in VERSIONS.get(group, ()):
            if not [part for part in rest if part]:
                return ResourceList(group, version)
            if not all(rest):
                return None
            return _custom(version, rest) if group == CUSTOM else _external(rest)
    return None


def _custom(version: str, rest: Sequence[str]) -> ObjectMetric | None:
    match rest:
        case ["namespaces", namespace, "metrics", metric]:
            return ObjectMetric(version, "", "namespaces", namespace, metric)
        case ["namespaces", namespace, resource, name, metric]:
            return ObjectMetric(version, namespace, resource, name, metric)
        case [resource, name, metric]:
            return ObjectMetric(version, "", resource, name, metric)
    return None


def _external(rest: Sequence[str]) -> ExternalMetric | None:
    match rest:
        case ["namespaces", namespace, metric]:
            return ExternalMetric(namespace, metric)
    return None


def require_json(headers: Mapping[str, str]) -> None:
    """Raises ApiError 406 when the client takes no JSON."""
    accepted = [part.split(";")[0].strip() for part in headers.get("Accept", "").split(",")]
    if any(accepted) and not {"*/*", "application/*", "application/json"} & set(accepted):
        raise ApiError(406, "only application/json is served; add it to the Accept header")
