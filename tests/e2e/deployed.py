"""tidecast as deploy/ installs it in the real control plane, but with its process on this host.

The manifests are rendered by the real kustomize from deploy/base and deploy/apiservices. The overlay changes what
a process outside the cluster needs: the Service leads to this host, the APIServices to the process' port. The
Deployment stays: its pod, which KWOK pretends to run, shows that the API server admits it.
"""

import base64
import json
import os
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509

from tests.e2e.components.certificates import Authority, KeyPair
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.golang import KUSTOMIZE, run
from tests.e2e.components.kube import Json, Kube
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.waiting import until
from tests.e2e.components.web import Answer, is_ok, request, trusting

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "tidecast"


class Tidecast(Process):
    """`tidecast up` on this host with the identity that deploy/ gives it."""

    def __init__(self, folder: Path, plane: ControlPlane, settings: Json, policies: Sequence[Json]) -> None:
        self.http_port, self.https_port = free_ports(2)
        self._plane, self._folder = plane, folder
        self._authority = Authority(folder, "serving-ca")
        self._settings, self._policies = settings, policies
        self._config = folder / "tidecast.yaml"
        self.address = f"localhost:{self.https_port}"
        self._root, self._trust = f"https://{self.address}", trusting(self._authority.certificate)
        ready = partial(is_ok, f"{self._root}/readyz", self._trust)
        super().__init__(self._up(), folder / "tidecast.log", ready)

    def start(self, timeout_s: float = 60) -> None:
        """Install it, start it, and wait until the aggregator has found it. Raises ComponentFailed."""
        install(self._plane.kube, self._folder, self.https_port, self._authority.certificate.read_bytes())
        self._config.write_text(yaml.safe_dump_all([self._with_access(), *self._policies]))
        super().start(timeout_s)
        for name in ("v1beta1.custom", "v1beta2.custom", "v1beta1.external"):
            path = f"/apis/apiregistration.k8s.io/v1/apiservices/{name}.metrics.k8s.io"
            until(f"{name} is available", partial(_is_available, self._plane.kube, path), 30)

    def ask_directly(self, path: str, headers: Mapping[str, str], identity: KeyPair | None = None) -> Answer:
        """Past the aggregator, with a client's certificate or without. Raises OSError."""
        return request("GET", f"{self._root}{path}", headers=headers, context=self.context(identity))

    def context(self, identity: KeyPair | None = None) -> ssl.SSLContext:
        """That of a client which trusts it, and shows that certificate."""
        context = trusting(self._authority.certificate)
        if identity:
            context.load_cert_chain(identity.certificate, identity.key)
        return context

    def renew_certificate(self) -> None:
        """Another pair on the disk, of the same authority."""
        self._serving()

    def serial(self) -> int:
        """Of the certificate that a new connection gets."""
        pem = ssl.get_server_certificate(("localhost", self.https_port))
        return x509.load_pem_x509_certificate(pem.encode()).serial_number

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Its process is down within the block; what it is installed as stays. Raises ComponentFailed."""
        self.stop()
        yield
        super().start()

    def _serving(self) -> KeyPair:
        return self._authority.issue("serving", hosts=(f"{NAME}.{NAME}.svc", "localhost"))

    def _up(self) -> list[str]:
        return [
            *(sys.executable, "-m", "adapter.cli", "up"),
            *("--config", str(self._config)),
            *("--data", str(self._folder / "data")),
            *("--http", f"127.0.0.1:{self.http_port}"),
            *("--https", f"127.0.0.1:{self.https_port}"),
        ]

    def _with_access(self) -> Json:
        serving = self._serving()
        token = self._plane.kube.token_of(NAME, NAME)
        return self._settings | {
            "kubernetes": {"kubeconfig": str(self._plane.kubeconfig(NAME, {"token": token}))},
            "certificate": {"certFile": str(serving.certificate), "keyFile": str(serving.key)},
        }


def install(kube: Kube, folder: Path, port: int, ca: bytes) -> None:
    """Apply deploy/ for a process on this host. Raises ComponentFailed, KubeError."""
    kube.apply(_volume())
    for manifest in render(folder, port, ca):
        kube.apply(manifest)
    path = f"/apis/apps/v1/namespaces/{NAME}/deployments/{NAME}"
    until("the Deployment's pod is admitted", lambda: kube.get(path)["status"].get("readyReplicas"), 30)


def render(folder: Path, port: int, ca: bytes) -> list[Json]:
    """What `kustomize build` makes of the overlay. Raises ComponentFailed."""
    overlay = folder / "overlay"
    overlay.mkdir()
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(DEPLOY / "base", overlay)],
        "components": [os.path.relpath(DEPLOY / "apiservices", overlay)],
        "patches": _patches(port, ca),
    }
    (overlay / "kustomization.yaml").write_text(json.dumps(content))
    text = run([str(KUSTOMIZE.path()), "build", str(overlay)], overlay)
    return [dict(document) for document in yaml.safe_load_all(text)]


def _patches(port: int, ca: bytes) -> list[Json]:
    outside = {"type": "ExternalName", "externalName": "localhost"}
    bundle = base64.b64encode(ca).decode()
    return [
        _patch("Service", [{"op": "replace", "path": "/spec", "value": outside}]),
        _patch(
            "APIService",
            [
                {"op": "replace", "path": "/spec/service/port", "value": port},
                {"op": "add", "path": "/spec/caBundle", "value": bundle},
            ],
        ),
    ]


def _patch(kind: str, operations: list[Any]) -> Json:
    return {"target": {"kind": kind}, "patch": json.dumps(operations)}


def _volume() -> Json:
    """What a cluster's storage would provide for the claim of deploy/base."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{NAME}-data"},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/none"},
        },
    }


def _is_available(kube: Kube, path: str) -> bool:
    conditions = kube.get(path).get("status", {}).get("conditions", [])
    return any(c["type"] == "Available" and c["status"] == "True" for c in conditions)
