"""A Kubernetes client of raw JSON, just enough for tests."""

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.components.certificates import KeyPair
from tests.e2e.components.web import request

Json = dict[str, Any]
FIELD_MANAGER = "tidecast-e2e"


class KubeError(Exception):
    """The API server said no; `status` is the HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


class Kube:
    """As the user of a client certificate, which `context` shows, or of a bearer token."""

    def __init__(self, address: str, ca: Path, identity: KeyPair | None = None, token: str = "") -> None:
        self.address, self.ca = address, ca
        self.context = ssl.create_default_context(cafile=ca)
        if identity:
            self.context.load_cert_chain(identity.certificate, identity.key)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._plurals: dict[str, dict[str, Json]] = {}

    def get(self, path: str, accept: str = "application/json") -> Json:
        """Raises KubeError, OSError."""
        return dict(json.loads(self._answer("GET", path, None, {"Accept": accept})))

    def items(self, path: str) -> list[Json]:
        return list(self.get(path)["items"])

    def post(self, path: str, body: Json) -> Json:
        return self._send("POST", path, body)

    def merge(self, path: str, change: Json) -> Json:
        """A JSON merge patch."""
        return self._send("PATCH", path, change, "application/merge-patch+json")

    def apply(self, manifest: Json) -> Json:
        """Server-side apply: created, or changed to what the manifest says."""
        query = f"?fieldManager={FIELD_MANAGER}&force=true"
        return self._send("PATCH", self.path(manifest) + query, manifest, "application/apply-patch+yaml")

    def token_of(self, namespace: str, service_account: str) -> str:
        """A token for an hour, as a pod of the service account gets it."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        return str(self.post(path, asked)["status"]["token"])

    def as_service_account(self, namespace: str, name: str) -> "Kube":
        """A client of the same cluster with that identity."""
        return Kube(self.address, self.ca, token=self.token_of(namespace, name))

    def delete(self, path: str) -> Json:
        return self._send("DELETE", path)

    def is_ready(self) -> bool:
        try:
            return self._answer("GET", "/readyz", None, {}) == b"ok"
        except (KubeError, OSError):
            return False

    def path(self, manifest: Mapping[str, Any]) -> str:
        """Where an object lives, by what the server says of its kind."""
        version, meta = manifest["apiVersion"], manifest["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        resource = self._resources(root)[manifest["kind"]]
        inner = f"/namespaces/{meta['namespace']}" if resource["namespaced"] else ""
        return f"{root}{inner}/{resource['name']}/{meta['name']}"

    def _resources(self, root: str) -> dict[str, Json]:
        if root not in self._plurals:
            listed = self.get(root)["resources"]
            self._plurals[root] = {one["kind"]: one for one in listed if "/" not in one["name"]}
        return self._plurals[root]

    def _send(
        self, method: str, path: str, body: Json | None = None, content_type: str = "application/json"
    ) -> Json:
        data = None if body is None else json.dumps(body).encode()
        return dict(json.loads(self._answer(method, path, data, {"Content-Type": content_type})))

    def _answer(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        everything = {"Accept": "application/json", **self._headers, **headers}
        answer = request(method, self.address + path, body, everything, self.context)
        if answer.status >= 400:
            raise KubeError(answer.status, _message(answer.body))
        return answer.body


def _message(body: bytes) -> str:
    """A Status object's message, or the text that is there instead."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:500]


def write_kubeconfig(path: Path, kube: Kube, user: Json) -> Path:
    """A kubeconfig file; `user` holds the credentials in a kubeconfig's own words."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "e2e", "cluster": {"server": kube.address, "certificate-authority": str(kube.ca)}}
        ],
        "users": [{"name": "e2e", "user": user}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e"}}],
        "current-context": "e2e",
    }
    path.touch(0o600)
    path.write_text(json.dumps(config))
    return path


def with_certificate(pair: KeyPair) -> Json:
    return {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
