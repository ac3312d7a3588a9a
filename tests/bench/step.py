"""How soon a served value follows a step of load: `python -m tests.bench.step`.

nginx under an open-loop load, its exporter, Prometheus (1 s) and `tidecast up` (tick 1 s). The value must be
within 5 % of the new level after scrape interval + rate window + tick + 1 s at the latest, up and down. The decided
value is watched upwards only: downwards it is slow on purpose.
"""

import json
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import yaml

from cme.core.quantity import parse_quantity
from tests.e2e import policies
from tests.e2e.components.load import Load
from tests.e2e.components.monitored import Monitored, monitored_nginx
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.prometheus import SCRAPE_INTERVAL_S
from tests.e2e.components.waiting import is_listening, until
from tests.e2e.components.web import request, trusting
from tests.e2e.workloads import NAMESPACE

LOW, HIGH = 50.0, 200.0
ROUNDS = 5
NEAR = 0.05
BOUND_S = SCRAPE_INTERVAL_S + policies.RATE_WINDOW_S + policies.TICK_S + 1
SETTLE_S = 30
POLL_S = 0.02


class Response(NamedTuple):
    moved_s: float
    near_s: float


class Served:
    """Values of the metrics API of one process on this host."""

    def __init__(self, port: int, authority: Path) -> None:
        self._root = (
            f"https://localhost:{port}/apis/custom.metrics.k8s.io/v1beta2"
            f"/namespaces/{NAMESPACE}/deployments.apps/web"
        )
        self._context: ssl.SSLContext = trusting(authority)

    def value(self, metric: str) -> float | None:
        """None while nothing is served."""
        answer = request("GET", f"{self._root}/{metric}", context=self._context)
        if answer.status != 200:
            return None
        return parse_quantity(json.loads(answer.body)["items"][0]["value"]) / 1000


@contextmanager
def tidecast(folder: Path, web: Monitored) -> Iterator[Served]:
    """`tidecast up` without a cluster, following one workload."""
    http, https = free_ports(2)
    settings = policies.settings(web.prometheus.address, "127.0.0.1:1")
    policy = policies.policy("web", "qps", policies.from_prometheus(policies.REQUESTS), "40")
    policy["spec"]["scaleDown"] = {"window": "0s"}
    config = folder / "tidecast.yaml"
    config.write_text(yaml.safe_dump_all([settings, policy]))
    up = [sys.executable, "-m", "adapter.cli", "up", "--config", str(config), "--data", str(folder / "data")]
    addresses = ["--http", f"127.0.0.1:{http}", "--https", f"127.0.0.1:{https}"]
    with Process([*up, *addresses], folder / "tidecast.log", partial(is_listening, https)):
        authority = folder / "data" / "tls" / "ca.crt"
        until("a certificate", authority.exists, SETTLE_S)
        yield Served(https, authority)


def response(served: Served, metrics: tuple[str, ...], old: float, new: float) -> dict[str, Response]:
    """Seconds from now on until each metric has left the old level and is near the new one."""
    begun = time.monotonic()
    moved, near = dict[str, float](), dict[str, float]()

    def look() -> bool:
        for metric in metrics:
            value, now = served.value(metric), time.monotonic() - begun
            if value is not None and abs(value - old) > NEAR * old:
                moved.setdefault(metric, now)
            if value is not None and abs(value - new) <= NEAR * new:
                near.setdefault(metric, now)
        return len(near) == len(metrics)

    until(f"{', '.join(metrics)} near {new:g}", look, SETTLE_S, POLL_S)
    return {metric: Response(moved[metric], near[metric]) for metric in metrics}


def settle(served: Served, level: float, phase_s: float) -> None:
    """Wait until a whole rate window has passed near the level, and `phase_s` more.

    What came before is in step with the scrapes; phases spread over a second make the rounds differ.
    """
    response(served, ("qps",), 0.001, level)
    end = time.monotonic() + policies.RATE_WINDOW_S + phase_s
    until("a steady rate", lambda: time.monotonic() > end, 2 * policies.RATE_WINDOW_S)


def measure(served: Served, load: Load, rounds: int) -> dict[str, list[Response]]:
    """Steps up and down. nginx also counts one request per scrape of its counters."""
    found: dict[str, list[Response]] = {"qps up": [], "qps_scaling up": [], "qps down": []}
    own = 1 / SCRAPE_INTERVAL_S
    for number in range(rounds):
        load.rate = LOW
        settle(served, LOW + own, number / rounds)
        load.rate = HIGH
        up = response(served, ("qps", "qps_scaling"), LOW + own, HIGH + own)
        settle(served, HIGH + own, number / rounds)
        load.rate = LOW
        down = response(served, ("qps",), HIGH + own, LOW + own)
        found["qps up"].append(up["qps"])
        found["qps_scaling up"].append(up["qps_scaling"])
        found["qps down"].append(down["qps"])
        print(f"round {number + 1} of {rounds}: {_text(up['qps'])} up, {_text(down['qps'])} down", flush=True)
    return found


def main() -> int:
    print(
        f"steps {LOW:g} <-> {HIGH:g} requests/s; scrapes 1 s, rate window {policies.RATE_WINDOW_S} s, tick 1 s"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            monitored_nginx(folder) as web,
            Load(web.nginx.port, "/") as load,
            tidecast(folder, web) as served,
        ):
            found = measure(served, load, ROUNDS)
    for what, responses in found.items():
        moved, near = zip(*responses, strict=True)
        print(
            f"{what}: first movement {statistics.median(moved):.2f} s, within 5 % {statistics.median(near):.2f} s "
            f"(medians of {ROUNDS}), slowest {max(near):.2f} s"
        )
    slowest = max(one.near_s for responses in found.values() for one in responses)
    held = slowest <= BOUND_S
    print(f"bound {BOUND_S:g} s: {'held' if held else 'BROKEN'}")
    return 0 if held else 1


def _text(response: Response) -> str:
    return f"{response.moved_s:.2f} / {response.near_s:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
