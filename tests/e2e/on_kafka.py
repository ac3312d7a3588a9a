"""tidecast as deploy/kafka installs it, with its processes on this host: two collectors, two predictors, two adapters."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.web import is_ok
from tests.e2e.deployed import NAME
from tests.e2e.two_adapters import ADAPTER, Adapter, TwoAdapters


class OnKafka(TwoAdapters):
    """As a process it is the first collector."""

    shape = "kafka"

    def __init__(self, folder: Path, plane: ControlPlane, settings: Json, policies: Sequence[Json]) -> None:
        super().__init__(folder, plane, settings, policies)
        kafka = {"address": settings["connections"]["jobs"]["address"], "partitions": 3, "replication": 1}
        self._log = {"log": {"kafka": kafka | {"prefix": folder.name}}}
        self.others = [
            self._role("other-collector", "collect", free_ports(1)[0]),
            self._role("predictor", "predict", free_ports(1)[0]),
            self._role("other-predictor", "predict", free_ports(1)[0]),
        ]

    def configure(self, user: Json) -> None:
        """Both files, each with the credentials of its own."""
        written = self._settings | self._reaching(NAME, user) | self._log
        self.config.write_text(yaml.safe_dump_all([written, *self._policies]))
        own = {"token": self._plane.kube.token_of(NAME, ADAPTER)}
        adapter = self._settings | self._reaching(ADAPTER, own) | self._log
        adapter |= {"certificate": self._serving(), "registration": {"port": self.service_port}}
        (self._folder / Adapter.CONFIG).write_text(yaml.safe_dump(adapter))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The worst exit code of those that run."""
        return max([*(one.stop(how) for one in self.others), super().stop(how)])

    def _begin(self, timeout_s: float) -> None:
        for one in self.others:
            one.start(timeout_s)
        super()._begin(timeout_s)

    def _is_ready(self) -> bool:
        return is_ok(f"http://127.0.0.1:{self._log_http}/readyz")

    def _up(self) -> list[str]:
        return self._line_of("collector", "collect", self._log_http)

    def _role(self, name: str, role: str, port: int) -> Process:
        command = self._line_of(name, role, port)
        return Process(
            command, self._folder / f"{name}.log", lambda: is_ok(f"http://127.0.0.1:{port}/readyz")
        )

    def _line_of(self, name: str, role: str, port: int) -> list[str]:
        return [
            *(sys.executable, "-m", "adapter.cli", role, "--config", str(self.config)),
            *("--data", str(self._folder / name), "--http", f"127.0.0.1:{port}"),
        ]
