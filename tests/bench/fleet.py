"""What a large fleet costs the adapter: `python -m tests.bench.fleet [--workloads N] [--rate R]`.

N workloads of three signals in the log, whose samples and decisions a process of its own writes anew every 5 s; R requests
a second for replicas_scaling of any of them, with the HPA's token, over TLS, reviewed by a real API server. The load is
open: a request has its moment, and its latency counts from then, also when the one before is late. Prints latencies, the
adapter's memory and processor time, access reviews a second, and the share of a core that the load itself takes.
"""

import argparse
import asyncio
import contextlib
import random
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from adapter.allinone.launch import AdapterProcess, listen
from adapter.api.own_certificate import CA_FILE, tls_folder
from cme.collector.records import describe
from cme.core.batch import Batch, Column, series_ids
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.core.settings import Kubernetes, Settings
from cme.log.embedded import EmbeddedLog
from cme.policies.standing import Standing
from tests.bench.machine import cpu_s, resident_mib
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import with_certificate
from tests.e2e.components.ports import free_ports
from tests.e2e.components.web import request

TICK_S, CONNECTIONS, WARM_S, MEASURED_S = 5, 64, 10, 30
P99_MS, PAUSE_MS = 10, 20
SIGNALS = ("qps", "bandwidth_in", "queue_backlog")
NAMESPACES = 100


def policies(count: int, names: Sequence[str] = SIGNALS) -> Iterator[ScalingPolicy]:
    """Of so many workloads, each with signals of these names."""
    for number in range(count):
        name = f"service-{number:05d}"
        signals = [{"name": one, "source": {"demo": {"load": "tide"}}, "perReplica": "40"} for one in names]
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        yield ScalingPolicy.model_validate(
            {
                "apiVersion": "tidecast.dev/v1alpha1",
                "kind": "ScalingPolicy",
                "metadata": {"name": name, "namespace": f"team-{number % NAMESPACES:03d}"},
                "spec": {"targetRef": target, "signals": signals},
            }
        )


class Writer:
    """Every TICK_S what collector and predictor write."""

    def __init__(self, folder: Path, count: int) -> None:
        self._log = EmbeddedLog.open(folder, writable=True)
        self._policies = list(policies(count))
        signals = [p.series(s).id for p in self._policies for s in p.spec.signals]
        self._signals = series_ids(signals)
        self._all = series_ids([*signals, *(SeriesKey(p.workload, "replicas").id for p in self._policies)])
        self._random = np.random.default_rng(1)

    def begin(self) -> None:
        now = time.time_ns() // 1_000_000
        self._log.append(describe(map(Standing.valid, self._policies), now))
        self.tick()

    def tick(self) -> None:
        now = time.time_ns() // 1_000_000
        self._log.append([self._samples(now), self._decisions(now)])

    def _samples(self, now: int) -> Batch:
        rows = len(self._signals)
        columns: dict[str, Column] = {
            "value": self._random.uniform(1, 1000, rows),
            "measured_ms": np.full(rows, now, dtype=np.int64),
            "coverage": np.ones(rows, dtype=np.float32),
            "flags": np.zeros(rows, dtype=np.uint8),
            "problem": ("",) * rows,
        }
        return Batch("samples", now, self._signals, columns, epoch=1)

    def _decisions(self, now: int) -> Batch:
        rows = len(self._all)
        names = ("value", "need", "slowed", "raw", "predicted", "lead_ms", "drain", "floor")
        columns: dict[str, Column] = {name: self._random.uniform(1, 100, rows) for name in names}
        columns |= {name: np.full(rows, now, dtype=np.int64) for name in ("raw_ms", "predicted_ms")}
        columns["reasons"] = np.ones(rows, dtype=np.int64)
        return Batch("decisions", now, self._all, columns)


def write_forever(folder: Path, count: int) -> None:
    """Until the process is killed; a line tells that the fleet is there."""
    writer = Writer(folder, count)
    writer.begin()
    print("written", flush=True)
    due = time.monotonic()
    while True:
        due += TICK_S
        time.sleep(max(0.0, due - time.monotonic()))
        writer.tick()


async def ask(
    address: tuple[str, int], context: ssl.SSLContext, heads: list[bytes], rate: float
) -> list[float]:
    """Milliseconds of each request over one connection."""
    reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname="localhost")
    due, found = time.perf_counter() + random.random() / rate, list[float]()
    end = due + WARM_S + MEASURED_S
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(random.choice(heads))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"an answer is an error: {head!r}")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length
        await reader.readexactly(int(length[1]))
        if due > end - MEASURED_S:
            found.append((time.perf_counter() - due) * 1000)
        due += 1 / rate
    writer.close()
    return found


def load(port: int, ca: Path, token: str, count: int, rate: float) -> None:
    """A process of its own: prints the latencies, ascending, and the share of a core that it took."""
    context = ssl.create_default_context(cafile=str(ca))
    heads = [
        f"GET /apis/custom.metrics.k8s.io/v1beta2/namespaces/{one.metadata.namespace}/deployments.apps/"
        f"{one.metadata.name}/replicas_scaling HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
        for one in policies(count)
    ]

    async def all_at_once() -> list[float]:
        each = rate / CONNECTIONS
        asked = (ask(("127.0.0.1", port), context, heads, each) for _ in range(CONNECTIONS))
        return [ms for found in await asyncio.gather(*asked) for ms in found]

    begun = time.process_time()
    found = sorted(asyncio.run(all_at_once()))
    share = (time.process_time() - begun) / (WARM_S + MEASURED_S)
    print(share, *found)


def reviews(plane: ControlPlane) -> float:
    """SubjectAccessReviews that the API server has answered."""
    context = ssl.create_default_context(cafile=str(plane.authority.certificate))
    context.load_cert_chain(plane.admin.certificate, plane.admin.key)
    text = request("GET", f"{plane.kube.address}/metrics", context=context).body.decode()
    lines = [line for line in text.splitlines() if line.startswith("apiserver_request_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'resource="subjectaccessreviews"' in line)


async def measure(folder: Path, plane: ControlPlane, count: int, rate: float) -> bool:
    """Print what was seen; whether it is within the limits."""
    http, https = free_ports(2)
    config = plane.kubeconfig("fleet", with_certificate(plane.admin))
    settings = Settings(
        data=folder / "log",
        http=f"127.0.0.1:{http}",
        https=f"127.0.0.1:{https}",
        kubernetes=Kubernetes(kubeconfig=config),
    )
    token = plane.kube.token_of("kube-system", "horizontal-pod-autoscaler")
    begun = time.perf_counter()
    with listen(settings.http, "--http") as one, listen(settings.https, "--https") as other:
        adapter = await AdapterProcess.start(settings, one, other, "http://127.0.0.1:1/")
        try:
            ca = tls_folder(settings) / CA_FILE
            await asyncio.to_thread(ready, f"https://localhost:{https}/readyz", ca)
            print(
                f"{count} workloads x {len(SIGNALS)} signals; ready after {time.perf_counter() - begun:.1f} s"
            )
            cpu, asked = cpu_s(adapter.pid), reviews(plane)
            command = [sys.executable, "-m", "tests.bench.fleet", "--load", str(https), str(ca), token]
            arguments = [*command, "--workloads", str(count), "--rate", str(rate)]
            said = await asyncio.to_thread(
                subprocess.run, arguments, capture_output=True, text=True, check=True
            )
            share, *found = map(float, said.stdout.split())
            return told(found, share, adapter.pid, cpu, reviews(plane) - asked)
        finally:
            await adapter.stop()


def ready(url: str, ca: Path) -> None:
    context = ssl.create_default_context(cafile=str(ca))
    while request("GET", url, context=context).status != 200:
        time.sleep(0.2)


def told(found: list[float], share: float, pid: int, cpu: float, asked: float) -> bool:
    seconds = WARM_S + MEASURED_S
    p50, p99, p999 = (found[int(q * len(found))] for q in (0.5, 0.99, 0.999))
    print(
        f"{len(found) / MEASURED_S:.0f} requests/s: p50 {p50:.2f} ms, p99 {p99:.2f} ms (at most {P99_MS}),",
        end=" ",
    )
    print(f"p999 {p999:.1f} ms, longest {found[-1]:.1f} ms (at most {PAUSE_MS})")
    print(
        f"the adapter: {resident_mib(pid):.0f} MiB resident, {(cpu_s(pid) - cpu) / seconds:.0%} of a core;",
        end=" ",
    )
    print(f"{asked / seconds:.2f} access reviews/s; the load itself {share:.0%} of a core")
    return p99 <= P99_MS and found[-1] <= PAUSE_MS


@contextlib.contextmanager
def writing(folder: Path, count: int) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.fleet", "--write", str(folder), "--workloads", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "written\n"
            yield
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=2_000)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        write_forever(given.write, given.workloads)
    elif given.load:
        port, ca, token = given.load
        load(int(port), Path(ca), token, given.workloads, given.rate)
    else:
        with tempfile.TemporaryDirectory() as name, ControlPlane(Path(name)) as plane:
            folder = Path(name)
            with writing(folder / "log", given.workloads):
                good = asyncio.run(measure(folder, plane, given.workloads, given.rate))
        sys.exit(not good)


if __name__ == "__main__":
    main()
