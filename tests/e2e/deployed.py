"""tidecast as deploy/ installs it in the real control plane, but with its process on this host.

The manifests are rendered by the real kustomize from deploy/base. The overlay changes what a process outside the
cluster needs: the Service leads to this host. The Deployment stays: its pod, which KWOK pretends to run, shows that
the API server admits it. The process makes its own certificate and registers itself, with the port it listens at.
"""

import contextlib
import json
import os
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import yaml
from cryptography import x509

from adapter.api.own_certificate import CA_FILE
from adapter.api.paths import VERSIONS
from adapter.registration.apply import API_SERVICES
from adapter.registration.rule import ApiService
from tests.e2e.components.certificates import Authority, KeyPair
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.golang import KUSTOMIZE, run
from tests.e2e.components.kube import Json, Kube, KubeError
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.waiting import until
from tests.e2e.components.web import Answer, is_ok, request, trusting

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "tidecast"
TO_THIS_HOST: Json = {
    "op": "replace",
    "path": "/spec",
    "value": {"type": "ExternalName", "externalName": "localhost"},
}
"""What becomes of a Service, as a step of a JSON patch."""


class Tidecast(Process):
    """`tidecast up` on this host with the identity that deploy/ gives it."""

    shape = "base"
    """Which folder of deploy/."""

    service: Json = TO_THIS_HOST
    """What becomes of its Services."""

    hosts: Sequence[str] = ("127.0.0.1",)
    """Where its adapters listen."""

    def __init__(
        self,
        folder: Path,
        plane: ControlPlane,
        settings: Json,
        policies: Sequence[Json],
        groups: Sequence[str] = tuple(VERSIONS),
        refused: bool = False,
        given: bool = False,
    ) -> None:
        """`groups`: which of the metrics groups it is to have; `refused`: it will not get them; `given`: it is given a
        certificate instead of making its own."""
        self.http_port, self.https_port = free_ports(2)
        self.service_port = self.https_port
        self._plane, self._folder, self._groups = plane, folder, groups
        self._settings, self._policies, self._refused = settings, policies, refused
        self.config = folder / "tidecast.yaml"
        self._authority = Authority(folder, "serving-ca") if given else None
        self.authorities = (
            self._authority.certificate if self._authority else folder / "data" / "tls" / CA_FILE
        )
        self.address = f"localhost:{self.https_port}"
        self._root = f"https://{self.address}"
        super().__init__(self._up(), folder / "tidecast.log", self._is_ready)

    def start(self, timeout_s: float = 60) -> None:
        """Install it, start it, and wait until the aggregator leads to it. Raises ComponentFailed."""
        self.install()
        self._begin(timeout_s)
        for group in () if self._refused else self._groups:
            for version in VERSIONS[group]:
                name = f"{version}.{group}"
                until(f"{name} is available", partial(self._has, f"{API_SERVICES}/{name}"), 30)

    def _begin(self, timeout_s: float) -> None:
        """Until it is ready."""
        super().start(timeout_s)

    def install(self) -> None:
        """All but the process. Raises ComponentFailed, KubeError."""
        install(self._plane.kube, self._folder, self.shape, self.service)
        self.configure({"token": self._plane.kube.token_of(NAME, NAME)})

    def configure(self, user: Json) -> None:
        """Write its file, with the credentials of `user`."""
        self.config.write_text(yaml.safe_dump_all([self._with_access(user), *self._policies]))

    def ask_directly(self, path: str, headers: Mapping[str, str], identity: KeyPair | None = None) -> Answer:
        """Past the aggregator, with a client's certificate or without. Raises OSError."""
        return request("GET", f"{self._root}{path}", headers=headers, context=self.context(identity))

    def context(self, identity: KeyPair | None = None) -> ssl.SSLContext:
        """That of a client which trusts it, and shows that certificate."""
        context = trusting(self.authorities)
        if identity:
            context.load_cert_chain(identity.certificate, identity.key)
        return context

    def renew_certificate(self) -> None:
        """Give it another of the same authority."""
        self._serving()

    def serial(self) -> int:
        """Of the certificate that a new connection gets."""
        pem = ssl.get_server_certificate(("localhost", self.https_port))
        return x509.load_pem_x509_certificate(pem.encode()).serial_number

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Its process is down within the block; what it is installed as stays. Raises ComponentFailed."""
        self.stop()
        yield
        super().start()

    def _serving(self) -> Json:
        """The setting `certificate`: the files of one that it is given."""
        assert self._authority
        hosts = {f"{NAME}.{NAME}.svc", "localhost", *self.hosts}
        pair = self._authority.issue("serving", hosts=tuple(hosts))
        files = {"certFile": pair.certificate, "keyFile": pair.key, "caFile": self._authority.certificate}
        return {name: str(path) for name, path in files.items()}

    def _is_ready(self) -> bool:
        return self.authorities.exists() and is_ok(f"{self._root}/readyz", self.context())

    def _has(self, path: str) -> bool:
        """Whether the aggregator leads to this process and has reached it."""
        try:
            found = self._plane.kube.get(path)
        except KubeError:
            return False
        leads = found["spec"]["service"]["port"] == self.service_port
        return leads and ApiService.of(found).available

    def _up(self) -> list[str]:
        return [
            *(sys.executable, "-m", "adapter.cli", "up"),
            *("--config", str(self.config)),
            *("--http", f"127.0.0.1:{self.http_port}"),
            *("--https", f"127.0.0.1:{self.https_port}"),
        ]

    def _reaching(self, name: str, user: Json) -> Json:
        return {"kubernetes": {"kubeconfig": str(self._plane.kubeconfig(name, user))}}

    def _with_access(self, user: Json) -> Json:
        given = {"certificate": self._serving()} if self._authority else {}
        return (
            self._settings
            | given
            | self._reaching(NAME, user)
            | {
                "data": str(self._folder / "data"),
                "registration": {"port": self.https_port, "groups": list(self._groups)},
            }
        )


def uninstall(kube: Kube) -> None:
    """Take away who has the metrics groups, and our ServiceAccount, as if deploy/ had never been applied."""
    for one in kube.items(API_SERVICES):
        if one["spec"].get("group") in VERSIONS:
            kube.delete(f"{API_SERVICES}/{one['metadata']['name']}")
    with contextlib.suppress(KubeError):  # there is none
        kube.delete(f"/api/v1/namespaces/{NAME}/serviceaccounts/{NAME}")


def install(kube: Kube, folder: Path, shape: str = "base", service: Json = TO_THIS_HOST) -> list[Json]:
    """Apply a folder of deploy/ for a process on this host; returns what was applied. Raises ComponentFailed, KubeError."""
    kube.apply(_volume())
    manifests = render(folder, shape, service)
    for manifest in manifests:
        kube.apply(manifest)
    for name in (one["metadata"]["name"] for one in manifests if one["kind"] == "Deployment"):
        until(f"the pods of {name} are admitted", partial(_is_complete, kube, name), 30)
    return manifests


def _is_complete(kube: Kube, name: str) -> bool:
    deployment = kube.get(f"/apis/apps/v1/namespaces/{NAME}/deployments/{name}")
    return bool(deployment["status"].get("readyReplicas") == deployment["spec"]["replicas"])


def render(folder: Path, shape: str = "base", service: Json = TO_THIS_HOST) -> list[Json]:
    """What `kustomize build` makes of the overlay. Raises ComponentFailed."""
    overlay = folder / "overlay"
    overlay.mkdir()
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(DEPLOY / shape, overlay)],
        "patches": [{"target": {"kind": "Service"}, "patch": json.dumps([service])}],
    }
    (overlay / "kustomization.yaml").write_text(json.dumps(content))
    text = run([str(KUSTOMIZE.path()), "build", str(overlay)], overlay)
    return [dict(document) for document in yaml.safe_load_all(text)]


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
