"""Debian's Prometheus and its exporters of this machine and of nginx."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process, version_of
from tests.e2e.components.web import is_ok

SCRAPE_INTERVAL_S = 1


class Prometheus(Process):
    """Scrapes `targets` (job -> HOST:PORT) every second."""

    def __init__(self, folder: Path, targets: Mapping[str, str]) -> None:
        (port,) = free_ports(1)
        self.address = f"http://127.0.0.1:{port}"
        config = folder / "prometheus.yaml"
        config.write_text(json.dumps(_config(targets)))
        command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        ready = partial(is_ok, f"{self.address}/-/ready")
        super().__init__(command, folder / "prometheus.log", ready, version_of("prometheus"))


class Exporter(Process):
    """What Prometheus scrapes; its target is HOST:PORT."""

    def __init__(self, folder: Path, program: str, listen: str, *arguments: str) -> None:
        (port,) = free_ports(1)
        self.target = f"127.0.0.1:{port}"
        command = [program, f"{listen}={self.target}", *arguments]
        ready = partial(is_ok, f"http://{self.target}/metrics")
        super().__init__(command, folder / f"{program}.log", ready, version_of(program))


def node_exporter(folder: Path) -> Exporter:
    """This machine's own figures; only those of its network devices are collected."""
    options = ("--collector.disable-defaults", "--collector.netdev", "--collector.netdev.device-exclude=^$")
    return Exporter(folder, "prometheus-node-exporter", "--web.listen-address", *options)


def nginx_exporter(folder: Path, status_url: str) -> Exporter:
    """Turns nginx's page of counters into Prometheus' format."""
    program = "prometheus-nginx-exporter"
    return Exporter(folder, program, "-web.listen-address", f"-nginx.scrape-uri={status_url}")


def _config(targets: Mapping[str, str]) -> dict[str, object]:
    jobs = [{"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in targets.items()]
    interval = f"{SCRAPE_INTERVAL_S}s"
    return {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": jobs}
