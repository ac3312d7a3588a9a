"""Who asks, as kube-aggregator says it: a client certificate of the front-proxy CA, and X-Remote-* headers.

https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/. Without that certificate the
headers are worth nothing: anybody could claim to be anybody.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cme.core.errors import TidecastError

CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"

PLACE = "kube-system/extension-apiserver-authentication"
REMEDY = "start kube-apiserver with --requestheader-client-ca-file"


class NoFrontProxy(TidecastError):
    """The cluster publishes no front-proxy CA."""


@dataclass(frozen=True)
class FrontProxy:
    """What the cluster publishes for its extension servers."""

    ca_pem: str
    allowed_names: Sequence[str]
    username_headers: Sequence[str]
    group_headers: Sequence[str]

    @classmethod
    def of(cls, config_map: Mapping[str, Any]) -> "FrontProxy":
        """From the ConfigMap. Raises NoFrontProxy when it lacks what no request can do without."""
        data = config_map.get("data") or {}
        ca = data.get("requestheader-client-ca-file", "")
        if not ca:
            raise NoFrontProxy(f"{PLACE} has no requestheader-client-ca-file; {REMEDY}")
        return cls(
            ca,
            _listed(data, "requestheader-allowed-names", "[]"),
            _listed(data, "requestheader-username-headers", '["X-Remote-User"]'),
            _listed(data, "requestheader-group-headers", '["X-Remote-Group"]'),
        )

    def user(self, certificate: Mapping[str, Any] | None, headers: Mapping[str, str]) -> str | None:
        """The user's name, or None. `certificate` is the peer's, whose chain TLS has verified already."""
        if not certificate or (self.allowed_names and _common_name(certificate) not in self.allowed_names):
            return None
        return next((headers[name] for name in self.username_headers if headers.get(name)), None)


def _listed(data: Mapping[str, str], key: str, default: str) -> list[str]:
    try:
        return [str(value) for value in json.loads(data.get(key) or default)]
    except (ValueError, TypeError):
        raise NoFrontProxy(f"{PLACE} has a {key} that is no JSON list; {REMEDY}") from None


def _common_name(certificate: Mapping[str, Any]) -> str:
    """CN of the subject, in the form of ssl.SSLSocket.getpeercert."""
    pairs = (pair for part in certificate.get("subject", ()) for pair in part)
    return next((str(value) for key, value in pairs if key == "commonName"), "")
