"""How fast the metrics API answers, beside the Go library's test-adapter: `python -m tests.bench.metrics_api`.

The same requests by wrk over TLS, with the HPA's bearer token, reviewed by the same real API server: an Object metric over
1, 8 and 32 kept connections. The two take turns, and the median of ROUNDS counts. The aim: at least FASTER times the
requests a second of the library and at most LATENCY of its p99.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.contract.metrics_api.found import CUSTOM
from tests.e2e import policies
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json
from tests.e2e.components.reference import Reference
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast
from tests.e2e.workloads import NAMESPACE, deployment, namespace

CONNECTIONS = (1, 8, 32)
ROUNDS, SECONDS = 5, 4
FASTER, LATENCY = 1.2, 0.5
NAME = "web"
PATH = f"{CUSTOM}/namespaces/{NAMESPACE}/deployments.apps/{NAME}/qps"
SETTINGS: Json = {"apiVersion": "tidecast.dev/v1alpha1", "kind": "Settings", "tick": "1s"}
_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Load(NamedTuple):
    """What wrk saw."""

    per_second: float
    p99_ms: float


@contextmanager
def adapters() -> Iterator[tuple[dict[str, str], str]]:
    """URLs of the same metric by adapter, and the HPA's token."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ControlPlane(folder) as plane:
            plane.kube.apply(namespace())
            plane.kube.apply(deployment(NAME))
            policy = policies.policy(NAME, "qps", {"demo": {"load": "tide"}}, "40")
            with (
                Tidecast(folder, plane, SETTINGS, [policy]) as tidecast,
                Reference(folder, plane) as reference,
            ):
                reference.write(f"namespaces/{NAMESPACE}/deployments.apps/{NAME}/qps", "1500m")
                token = plane.kube.token_of("kube-system", "horizontal-pod-autoscaler")
                urls = {"tidecast": f"https://localhost:{tidecast.https_port}", "library": reference.address}
                headers = {"Authorization": f"Bearer {token}"}
                until("tidecast has a value", lambda: tidecast.ask_directly(PATH, headers).status == 200, 30)
                yield {name: url + PATH for name, url in urls.items()}, token


def load(url: str, token: str, connections: int) -> Load:
    """Raises RuntimeError when an answer is an error."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency"]
    header = ["-H", f"Authorization: Bearer {token}", url]
    said = subprocess.run([*command, *header], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{url} fails: {said}")
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert p99
    assert rate
    return Load(float(rate[1]), float(p99[1]) * _MS[p99[2]])


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(column) for column in zip(*loads, strict=True)))


def compare(urls: dict[str, str], token: str, connections: int) -> bool:
    """Print a line; whether it fulfils the aim."""
    seen: dict[str, list[Load]] = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in urls.items():
            seen[name].append(load(url, token, connections))
    ours, theirs = median(seen["tidecast"]), median(seen["library"])
    rate, p99 = ours.per_second / theirs.per_second, ours.p99_ms / theirs.p99_ms
    print(
        f"{connections:>3} connections: {ours.per_second:>6.0f}/s, p99 {ours.p99_ms:>5.2f} ms; "
        f"library {theirs.per_second:>6.0f}/s, p99 {theirs.p99_ms:>5.2f} ms; "
        f"{rate:.2f} times the requests (aim {FASTER}), {p99:.2f} of the p99 (aim {LATENCY})",
        flush=True,
    )
    return rate >= FASTER and p99 <= LATENCY


def main() -> None:
    with adapters() as (urls, token):
        good = [compare(urls, token, connections) for connections in CONNECTIONS]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
