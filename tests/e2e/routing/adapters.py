"""Two adapters behind a Service of their own addresses: the API server's aggregator itself picks one for each request."""

from collections.abc import Sequence
from pathlib import Path

from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json
from tests.e2e.deployed import NAME
from tests.e2e.routing.kubelet import Kubelet
from tests.e2e.two_adapters import TwoAdapters, Way

WITHOUT_SELECTOR: Json = {"op": "remove", "path": "/spec/selector"}


class RoutedAdapters(TwoAdapters):
    """The Service is that of deploy/ without its selector: its endpoints are no pods, and a Kubelet tells them."""

    service = WITHOUT_SELECTOR
    kubelet: Kubelet

    def __init__(
        self,
        folder: Path,
        plane: ControlPlane,
        settings: Json,
        policies: Sequence[Json],
        hosts: Sequence[str],
    ) -> None:
        self.hosts = hosts
        super().__init__(folder, plane, settings, policies)
        self.service_port = 443

    def _ports(self) -> Sequence[int]:
        """One, as pods have it: an EndpointSlice names a port for all of its addresses."""
        return [self.https_port] * len(self.hosts)

    def _way_to_them(self) -> Way:
        self.kubelet = Kubelet(self._plane.kube, NAME, NAME, self.hosts, self.https_port)
        return self.kubelet
