"""How fast the metrics API answers, beside the Go library's test-adapter: `python -m tests.bench.metrics_api`.

The same requests by wrk over TLS, with the HPA's bearer token, reviewed by the same real API server: an Object metric over
1, 8 and 32 kept connections, first from the adapters themselves, then through the API server's aggregator, which leads to the
one and to the other. The two take turns, and the median of ROUNDS counts. The aim, for the adapters themselves: at least
FASTER times the requests a second of the library and at most LATENCY of its p99. Other work on the machine takes more from
tidecast, which answers on one core, than from the library, which uses all; the processor time of a request tells them apart
on a busy one too. Through the aggregator that itself takes most of the time.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from adapter.api.paths import CUSTOM, EXTERNAL
from adapter.registration.apply import read_authorities
from adapter.registration.rule import manifest
from cme.core.settings import Registration
from tests.bench.machine import cpu_s, load_average
from tests.e2e import policies
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.extension import behind_a_service
from tests.e2e.components.kube import Json, Kube, KubeError
from tests.e2e.components.reference import Reference
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast
from tests.e2e.workloads import NAMESPACE, deployment, namespace
from tests.run.program import adapter_of

CONNECTIONS = (1, 8, 32)
ROUNDS, SECONDS = 5, 4
FASTER, LATENCY = 1.2, 0.5
NAME = "web"
VERSION = "v1beta2"
SERVICE = "reference"
"""Of the library's adapter; its namespace is called so, too."""
PATH = f"/apis/{CUSTOM}/{VERSION}/namespaces/{NAMESPACE}/deployments.apps/{NAME}/qps"
SETTINGS: Json = {"apiVersion": "tidecast.dev/v1alpha1", "kind": "Settings", "tick": "1s"}
_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Adapter(NamedTuple):
    url: str
    """Of the metric."""
    pid: int
    """Of the process that answers."""
    registered: Sequence[Json]
    """What makes the aggregator lead to it."""


class Load(NamedTuple):
    """What wrk saw, and what the kernel counted."""

    per_second: float
    p99_ms: float
    cpu_us: float
    """Of a request."""


class Machine(NamedTuple):
    adapters: Mapping[str, Adapter]
    """By name."""
    kube: Kube
    token: str
    """The HPA's."""


@contextmanager
def machine() -> Iterator[Machine]:
    """Both adapters and the API server that both ask."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ControlPlane(folder) as plane:
            plane.kube.apply(namespace())
            plane.kube.apply(deployment(NAME))
            policy = policies.policy(NAME, "qps", {"demo": {"load": "tide"}}, "40")
            with (
                # That it leaves the other group alone is what lets the two take turns there.
                Tidecast(folder, plane, SETTINGS, [policy], groups=[EXTERNAL]) as tidecast,
                Reference(folder, plane, f"{SERVICE}.{SERVICE}.svc") as reference,
            ):
                reference.write(f"namespaces/{NAMESPACE}/deployments.apps/{NAME}/qps", "1500m")
                token = plane.kube.token_of("kube-system", "horizontal-pod-autoscaler")
                headers = {"Authorization": f"Bearer {token}"}
                until("tidecast has a value", lambda: tidecast.ask_directly(PATH, headers).status == 200, 30)
                found = {"tidecast": of_tidecast(tidecast), "library": of_library(reference)}
                yield Machine(found, plane.kube, token)


def of_tidecast(tidecast: Tidecast) -> Adapter:
    asked = Registration(port=tidecast.https_port)
    registered = manifest(CUSTOM, VERSION, asked, read_authorities(tidecast.authorities))
    url = f"https://localhost:{tidecast.https_port}{PATH}"
    pid = adapter_of(tidecast.pid)
    assert pid
    return Adapter(url, pid, [registered])


def of_library(reference: Reference) -> Adapter:
    registered = list(
        behind_a_service(SERVICE, SERVICE, reference.port, reference.ca, [f"{CUSTOM}/{VERSION}"])
    )
    return Adapter(reference.address + PATH, reference.pid, registered)


def directly(on: Machine, name: str) -> str:
    """The URL of the metric at the adapter."""
    return on.adapters[name].url


def aggregated(on: Machine, name: str) -> str:
    """The URL of the metric at the API server, which leads to that adapter from now on."""
    for one in on.adapters[name].registered:
        on.kube.apply(one)
    until(f"the aggregator leads to {name}", lambda: _answers(on.kube) == name, 60)
    return on.kube.address + PATH


def _answers(kube: Kube) -> str:
    """Who answers through the aggregator; "" while nobody does. Only tidecast's values are averages over a window."""
    try:
        (item,) = kube.get(PATH)["items"]
    except (KubeError, OSError):
        return ""
    return "tidecast" if item.get("windowSeconds") else "library"


def load(url: str, pid: int, token: str, connections: int) -> Load:
    """Raises RuntimeError when an answer is an error."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency"]
    before = cpu_s(pid)
    header = ["-H", f"Authorization: Bearer {token}", url]
    said = subprocess.run([*command, *header], capture_output=True, text=True, check=True).stdout
    used = cpu_s(pid) - before
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{url} fails: {said}")
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    count = re.search(r"(\d+) requests in", said)
    assert p99
    assert rate
    assert count
    return Load(float(rate[1]), float(p99[1]) * _MS[p99[2]], used / int(count[1]) * 1e6)


def compare(on: Machine, reach: Callable[[Machine, str], str]) -> bool:
    """Print a line for each number of connections; whether all fulfil the aim."""
    seen: dict[int, dict[str, list[Load]]] = {n: {name: [] for name in on.adapters} for n in CONNECTIONS}
    for _ in range(ROUNDS):
        for name, adapter in on.adapters.items():
            url = reach(on, name)
            for connections in CONNECTIONS:
                seen[connections][name].append(load(url, adapter.pid, on.token, connections))
    print(f"{reach.__name__}, {load_average()}")
    reports = [_report(connections, found) for connections, found in seen.items()]
    return all(reports)


def _report(connections: int, seen: Mapping[str, list[Load]]) -> bool:
    ours, theirs = median(seen["tidecast"]), median(seen["library"])
    rate, p99 = ours.per_second / theirs.per_second, ours.p99_ms / theirs.p99_ms
    print(
        f"{connections:>3} connections: {_line(ours)}; library {_line(theirs)}; "
        f"{rate:.2f} times the requests (aim {FASTER}), {p99:.2f} of the p99 (aim {LATENCY})",
        flush=True,
    )
    return rate >= FASTER and p99 <= LATENCY


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(column) for column in zip(*loads, strict=True)))


def _line(one: Load) -> str:
    return f"{one.per_second:.0f}/s, p99 {one.p99_ms:.2f} ms, {one.cpu_us:.0f} us of processor each"


def main() -> None:
    with machine() as on:
        good = compare(on, directly)
        compare(on, aggregated)
    sys.exit(not good)


if __name__ == "__main__":
    main()
