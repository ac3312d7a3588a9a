"""What a kubelet and the controller of EndpointSlices do for pods, done for processes of this host."""

import ssl
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from tests.e2e.components.kube import Json, Kube
from tests.e2e.components.web import is_ok

PERIOD_S = 1
"""Between probes. One that fails takes the endpoint out: as soon as a cluster notices that a container died, or that a pod
is being deleted; neither waits for probes to fail."""


class Told(NamedTuple):
    """What was told the cluster: since when, in seconds of the wall clock, which hosts are ready."""

    at: float
    ready: frozenset[str]


class Kubelet:
    """Probes /readyz of each host in a thread of its own, and tells the Service's EndpointSlice when that has changed."""

    def __init__(self, kube: Kube, namespace: str, service: str, hosts: Sequence[str], port: int) -> None:
        self._kube, self._namespace, self._service = kube, namespace, service
        self._hosts, self._port = hosts, port
        self._context = _unverified()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.told: list[Told] = []

    def start(self) -> None:
        self._turn()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        if self._thread is not None:
            self._ending.set()
            self._thread.join()
            self._thread = None

    def is_told(self, ready: frozenset[str]) -> bool:
        """Whether these, and no others, are what the cluster knows as ready."""
        return bool(self.told) and self.told[-1].ready == ready

    def _run(self) -> None:
        while not self._ending.wait(PERIOD_S):
            self._turn()

    def _turn(self) -> None:
        ready = frozenset(host for host in self._hosts if self._probe(host))
        if not self.is_told(ready):
            self._kube.apply(self._slice(ready))
            self.told.append(Told(time.time(), ready))

    def _probe(self, host: str) -> bool:
        return is_ok(f"https://{host}:{self._port}/readyz", self._context)

    def _slice(self, ready: frozenset[str]) -> Json:
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{self._service}-on-this-host",
                "namespace": self._namespace,
                "labels": {"kubernetes.io/service-name": self._service},
            },
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": self._port, "protocol": "TCP"}],
            "endpoints": [
                {"addresses": [host], "conditions": {"ready": host in ready}} for host in self._hosts
            ],
        }


def _unverified() -> ssl.SSLContext:
    """A kubelet verifies no certificate of a probe."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
