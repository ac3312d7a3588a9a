"""How fast the metrics API answers, beside the Go library's test-adapter: `python -m tests.bench.metrics_api`.

The same requests by wrk over TLS, with the HPA's bearer token, reviewed by the same real API server: an Object metric over
1, 8 and 32 kept connections. The two take turns, and the median of ROUNDS counts. The aim: at least FASTER times the
requests a second of the library and at most LATENCY of its p99. Other work on the machine takes more from tidecast, which
answers on one core, than from the library, which uses all; the processor time of a request tells them apart on a busy one too.
"""

import os
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


class Adapter(NamedTuple):
    url: str
    """Of the metric."""
    pid: int
    """Of the process that answers."""


class Load(NamedTuple):
    """What wrk saw, and what the kernel counted."""

    per_second: float
    p99_ms: float
    cpu_us: float
    """Of a request."""


@contextmanager
def adapters() -> Iterator[tuple[dict[str, Adapter], str]]:
    """By name, and the HPA's token."""
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
                headers = {"Authorization": f"Bearer {token}"}
                until("tidecast has a value", lambda: tidecast.ask_directly(PATH, headers).status == 200, 30)
                ours = f"https://localhost:{tidecast.https_port}{PATH}"
                yield (
                    {
                        "tidecast": Adapter(ours, answering(tidecast.pid)),
                        "library": Adapter(reference.address + PATH, reference.pid),
                    },
                    token,
                )


def answering(parent: int) -> int:
    """The adapter's process, which `tidecast up` has started."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    pids = [int(pid) for listed in children for pid in listed.read_text().split()]
    return next(pid for pid in pids if b"adapter.server" in Path(f"/proc/{pid}/cmdline").read_bytes())


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used (proc(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(adapter: Adapter, token: str, connections: int) -> Load:
    """Raises RuntimeError when an answer is an error."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency"]
    header = ["-H", f"Authorization: Bearer {token}", adapter.url]
    before = cpu_s(adapter.pid)
    said = subprocess.run([*command, *header], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{adapter.url} fails: {said}")
    used = cpu_s(adapter.pid) - before
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    count = re.search(r"(\d+) requests in", said)
    assert p99
    assert rate
    assert count
    return Load(float(rate[1]), float(p99[1]) * _MS[p99[2]], used / int(count[1]) * 1e6)


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(column) for column in zip(*loads, strict=True)))


def compare(found: dict[str, Adapter], token: str, connections: int) -> bool:
    """Print a line; whether it fulfils the aim."""
    seen: dict[str, list[Load]] = {name: [] for name in found}
    for _ in range(ROUNDS):
        for name, adapter in found.items():
            seen[name].append(load(adapter, token, connections))
    ours, theirs = median(seen["tidecast"]), median(seen["library"])
    rate, p99 = ours.per_second / theirs.per_second, ours.p99_ms / theirs.p99_ms
    print(
        f"{connections:>3} connections: {_line(ours)}; library {_line(theirs)}; "
        f"{rate:.2f} times the requests (aim {FASTER}), {p99:.2f} of the p99 (aim {LATENCY})",
        flush=True,
    )
    return rate >= FASTER and p99 <= LATENCY


def _line(one: Load) -> str:
    return f"{one.per_second:.0f}/s, p99 {one.p99_ms:.2f} ms, {one.cpu_us:.0f} us of processor each"


def main() -> None:
    with adapters() as (found, token):
        good = [compare(found, token, connections) for connections in CONNECTIONS]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
