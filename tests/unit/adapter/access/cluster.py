"""A cluster that publishes its trust and reviews tokens and access as the test says."""

import json
from collections.abc import Mapping, MutableSequence
from dataclasses import dataclass, field
from typing import Any

from adapter.access.trust import CONFIG_MAP
from cme.core.errors import KubeFailed
from tests.unit.adapter.api.authority import Authority

PROXY_NAME = "front-proxy-client"
HPA = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"


@dataclass
class Cluster:
    proxy: Authority = field(default_factory=lambda: Authority("front-proxy-ca"))
    clients: Authority = field(default_factory=lambda: Authority("client-ca"))
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    allowed: set[tuple[str, str]] = field(default_factory=set)
    """(user, resource or path); "*" is all of the metrics."""
    down: bool = False
    reviews: MutableSequence[Mapping[str, Any]] = field(default_factory=list)

    def get(self, path: str) -> Mapping[str, Any]:
        self._answer()
        assert path == CONFIG_MAP
        return {
            "data": {
                "requestheader-client-ca-file": self.proxy.pem,
                "client-ca-file": self.clients.pem,
                "requestheader-allowed-names": json.dumps([PROXY_NAME]),
            }
        }

    def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._answer()
        self.reviews.append(body)
        if body["kind"] == "TokenReview":
            user = self.tokens.get(body["spec"]["token"])
            return {"status": {"authenticated": True, "user": user} if user else {"error": "unknown"}}
        return {"status": {"allowed": self._allows(body["spec"])}}

    def _allows(self, spec: Mapping[str, Any]) -> bool:
        resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        touched = resource.get("resource", "") if resource else path["path"] if path else ""
        return (spec["user"], touched) in self.allowed

    def _answer(self) -> None:
        if self.down:
            raise KubeFailed("POST: connection refused")

    def asked(self, kind: str) -> list[Mapping[str, Any]]:
        return [body["spec"] for body in self.reviews if body["kind"] == kind]
