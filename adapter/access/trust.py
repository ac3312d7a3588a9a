"""What the cluster publishes for its extension servers: whose certificates are believed, and which headers.

ConfigMap kube-system/extension-apiserver-authentication, written by kube-apiserver.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cme.core.errors import TidecastError

CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
PLACE = "kube-system/extension-apiserver-authentication"
REMEDY = "start kube-apiserver with --requestheader-client-ca-file"


class NoTrust(TidecastError):
    """The cluster publishes no front-proxy CA."""


@dataclass(frozen=True)
class Trust:
    """PEM bundles of the two authorities, and what the first of them may say of others."""

    proxy_ca: str
    client_ca: str
    allowed_names: Sequence[str]  # of the front proxy; any when empty
    username_headers: Sequence[str]
    group_headers: Sequence[str]
    uid_headers: Sequence[str]
    extra_prefixes: Sequence[str]

    @classmethod
    def of(cls, config_map: Mapping[str, Any]) -> "Trust":
        """From the ConfigMap. Raises NoTrust when it lacks what no request can do without."""
        data = config_map.get("data") or {}
        proxy_ca = data.get("requestheader-client-ca-file", "")
        if not proxy_ca:
            raise NoTrust(f"{PLACE} has no requestheader-client-ca-file; {REMEDY}")
        return cls(
            proxy_ca,
            data.get("client-ca-file", ""),
            _listed(data, "requestheader-allowed-names", "[]"),
            _listed(data, "requestheader-username-headers", '["X-Remote-User"]'),
            _listed(data, "requestheader-group-headers", '["X-Remote-Group"]'),
            _listed(data, "requestheader-uid-headers", '["X-Remote-Uid"]'),
            _listed(data, "requestheader-extra-headers-prefix", '["X-Remote-Extra-"]'),
        )

    @property
    def authorities(self) -> str:
        """All that TLS is to accept, PEM."""
        return f"{self.proxy_ca}\n{self.client_ca}"


def _listed(data: Mapping[str, str], key: str, default: str) -> tuple[str, ...]:
    try:
        return tuple(str(value) for value in json.loads(data.get(key) or default))
    except (ValueError, TypeError):
        raise NoTrust(f"{PLACE} has a {key} that is no JSON list; {REMEDY}") from None
