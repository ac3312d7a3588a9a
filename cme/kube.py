"""The only door to Kubernetes: raw JSON, never the client's models."""

import json
from collections.abc import Mapping
from typing import Any

import yaml
from kubernetes import client, config

from cme.core.errors import KubeFailed
from cme.core.settings import Kubernetes

TIMEOUT_S = 10


class KubeClient:
    """Reads of one cluster. Blocks: an asyncio process calls it from a thread."""

    def __init__(self, settings: Kubernetes) -> None:
        """Raises KubeFailed when there is neither a kubeconfig nor a service account."""
        try:
            self._api = _connect(settings)
        except (config.ConfigException, OSError, yaml.YAMLError) as error:
            cause = " ".join(str(error).split())
            raise KubeFailed(f"no way to the cluster: {cause}; set kubernetes.kubeconfig") from None

    def close(self) -> None:
        """Close its connections."""
        self._api.close()

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at a path. Raises KubeFailed."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the server makes of a new object. Raises KubeFailed."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        try:
            self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
            url = f"{self._api.configuration.host}{path}"
            answer = self._api.call_api(method, url, headers, body, _request_timeout=TIMEOUT_S)
            document: dict[str, Any] = dict(json.loads(answer.read()))
        except Exception as error:  # noqa: BLE001 - urllib3's and the client's errors have no common base
            raise KubeFailed(f"{method} {path}: {type(error).__name__}") from None
        if answer.status not in (200, 201):
            raise KubeFailed(f"{method} {path}: {document.get('message') or answer.status}")
        return document


def _connect(settings: Kubernetes) -> Any:
    if settings.kubeconfig is not None:
        return config.new_client_from_config(str(settings.kubeconfig))  # type: ignore[no-untyped-call]
    configuration = client.Configuration()
    config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    return client.ApiClient(configuration)
