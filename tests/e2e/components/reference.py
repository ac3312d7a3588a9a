"""The Go library's own adapter (custom-metrics-apiserver's test-adapter): what the metrics API is compared with.

It serves what is posted to it from memory, with the full delegated authentication and authorization.
"""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adapter.api.paths import CUSTOM
from tests.e2e.components.certificates import Authority
from tests.e2e.components.control_plane import LOCAL, ControlPlane
from tests.e2e.components.failure import ComponentFailed
from tests.e2e.components.golang import TEST_ADAPTER
from tests.e2e.components.kube import Json, with_certificate
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.waiting import is_listening
from tests.e2e.components.web import is_ok, request, trusting

WRITES = 8080
"""Fixed by the program."""


class Reference(Process):
    """Asks the control plane who may read, as its administrator. `service`: as NAME.NAMESPACE.svc, if it is behind one."""

    def __init__(self, folder: Path, plane: ControlPlane, service: str = "") -> None:
        (self.port,) = free_ports(1)
        self.address = f"https://{LOCAL}:{self.port}"
        authority = Authority(folder, "reference-ca")
        self.ca = authority.certificate
        serving = authority.issue("reference-serving", hosts=(LOCAL, *([service] if service else [])))
        config = plane.kubeconfig("reference", with_certificate(plane.admin))
        arguments = [
            f"--secure-port={self.port}",
            f"--bind-address={LOCAL}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            *(f"--{use}-kubeconfig={config}" for use in ("lister", "authentication", "authorization")),
        ]
        asking = trusting(self.ca)
        asking.load_cert_chain(plane.admin.certificate, plane.admin.key)
        # Its own /readyz says ok before it knows whose certificates to believe.
        ready = partial(is_ok, f"{self.address}/apis", asking)
        log = folder / f"{TEST_ADAPTER.name}.log"
        super().__init__([TEST_ADAPTER.path(), *arguments], log, ready, TEST_ADAPTER.version)

    def start(self, timeout_s: float = 60) -> None:
        """Raises ComponentFailed."""
        if is_listening(WRITES):
            raise ComponentFailed(f"port {WRITES} is taken; test-adapter listens on it for writes")
        super().start(timeout_s)

    def write(self, path: str, value: str) -> None:
        """`path`: RESOURCE/NAME/METRIC, below namespaces/NAMESPACE/ where the object has one. Raises ComponentFailed.

        A Namespace's resource is "namespace": what is written to "namespaces" can never be read.
        """
        url = f"http://{LOCAL}:{WRITES}/write-metrics/{path}"
        answer = request("POST", url, json.dumps(value).encode(), {"Content-Type": "application/json"})
        if answer.status != 200:
            raise ComponentFailed(f"{url}: {answer.status} {answer.body!r}")

    def behind_a_service(self, name: str, namespace: str, version: str) -> Iterator[Json]:
        """What makes the aggregator lead to it for a version of custom.metrics.k8s.io."""
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }
        yield {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{version}.{CUSTOM}"},
            "spec": {
                "group": CUSTOM,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "service": {"namespace": namespace, "name": name, "port": self.port},
                "caBundle": base64.b64encode(self.ca.read_bytes()).decode(),
            },
        }
