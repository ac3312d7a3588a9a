"""APIServices of a cluster, and a cluster that keeps them as the API server does."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapter.registration.apply import API_SERVICES
from cme.core.errors import KubeFailed

CUSTOM: Final = "custom.metrics.k8s.io"
EXTERNAL: Final = "external.metrics.k8s.io"
Json = dict[str, Any]


def api_service(name: str, owner: str, authorities: str = "PEM", **condition: str) -> Json:
    """`owner`: NAMESPACE/NAME of a Service, "" for what the API server itself has."""
    version, _, group = name.partition(".")
    spec: Json = {"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100}
    if owner:
        namespace, _, service = owner.partition("/")
        spec["service"] = {"namespace": namespace, "name": service, "port": 443}
        spec["caBundle"] = base64.b64encode(authorities.encode()).decode()
    conditions = [{"type": "Available", **condition}] if condition else []
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": conditions}}


@dataclass
class Cluster:
    """A field that another manager has set is not taken: as with server-side apply."""

    services: dict[str, Json] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    down: bool = False

    def add(self, *services: Json) -> "Cluster":
        for one in services:
            self.services[one["metadata"]["name"]] = one
            self.managers[one["metadata"]["name"]] = "kubectl"
        return self

    def get(self, path: str) -> Mapping[str, Any]:
        self._answer()
        assert path == API_SERVICES
        return {"items": list(self.services.values())}

    def apply(self, path: str, manifest: Mapping[str, Any], manager: str) -> Mapping[str, Any]:
        self._answer()
        name = path.removeprefix(f"{API_SERVICES}/")
        if self.managers.setdefault(name, manager) != manager:
            raise KubeFailed(f"PATCH {path}: Apply failed with 1 conflict")
        self.applied.append(name)
        self.services[name] = dict(manifest)
        return manifest

    def _answer(self) -> None:
        if self.down:
            raise KubeFailed("GET: connection refused")
