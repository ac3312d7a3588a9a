"""tidecast as deploy/adapters installs it, with its processes on this host: a log's side, and two adapters that follow it.

The Service leads to a front of this host, which deals connections out in turn, as a cluster's own network does. One that no
adapter takes goes to the other.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.components.certificates import Authority, KeyPair
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.web import Answer, is_ok, request, trusting
from tests.e2e.deployed import NAME, Tidecast

ADAPTER = f"{NAME}-adapter"


class Way(Protocol):
    """What leads requests to adapters."""

    def start(self) -> None: ...

    def close(self) -> None:
        """Also before it was started."""


class TwoAdapters(Tidecast):
    """As a process it is the log's side."""

    shape = "adapters"
    hosts: Sequence[str] = ("127.0.0.1", "127.0.0.1")

    def __init__(self, folder: Path, plane: ControlPlane, settings: Json, policies: Sequence[Json]) -> None:
        self._log_http, self._log_https, log_port = free_ports(3)
        authority, address = Authority(folder, "log-ca"), f"localhost:{log_port}"
        self._served = _link(address, authority, authority.issue("log", hosts=("localhost",)))
        self._followed = _link(address, authority, authority.issue("follower"))
        super().__init__(folder, plane, settings, policies, given=True)
        places = zip(("one", "other"), self.hosts, self._ports(), strict=True)
        self.adapters = [Adapter(folder, *place, self.context) for place in places]
        self._way = self._way_to_them()

    def _ports(self) -> Sequence[int]:
        """Of the adapters."""
        return free_ports(2)

    def _way_to_them(self) -> Way:
        return Front(self.https_port, [adapter.port for adapter in self.adapters])

    def configure(self, user: Json) -> None:
        """Both files, each with the credentials of its own."""
        of_log = self._settings | self._reaching(NAME, user) | {"serveLog": self._served}
        of_log |= {"data": str(self._folder / "data")}
        self.config.write_text(yaml.safe_dump_all([of_log, *self._policies]))
        own = {"token": self._plane.kube.token_of(NAME, ADAPTER)}
        adapter = self._settings | self._reaching(ADAPTER, own) | {"followLog": self._followed}
        adapter |= {"certificate": self._serving(), "registration": {"port": self.service_port}}
        (self._folder / Adapter.CONFIG).write_text(yaml.safe_dump(adapter))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The worst exit code of those that run."""
        self._way.close()
        return max([*(adapter.stop(how) for adapter in self.adapters), super().stop(how)])

    def _begin(self, timeout_s: float) -> None:
        super()._begin(timeout_s)
        for adapter in self.adapters:
            adapter.start(timeout_s)
        self._way.start()

    @contextlib.contextmanager
    def without_log(self) -> Iterator[None]:
        """The log's side is down within the block. Raises ComponentFailed."""
        super().stop()
        yield
        super()._begin(60)

    def _is_ready(self) -> bool:
        """The log's side makes a certificate of its own, for probes."""
        own = self._folder / "data" / "tls" / "ca.crt"
        return own.exists() and is_ok(f"https://localhost:{self._log_https}/readyz", trusting(own))

    def _up(self) -> list[str]:
        ports = ("--http", f"127.0.0.1:{self._log_http}", "--https", f"127.0.0.1:{self._log_https}")
        return [sys.executable, "-m", "adapter.cli", "up", "--config", str(self.config), *ports]


class Adapter(Process):
    """`tidecast serve`."""

    CONFIG = "adapter.yaml"

    def __init__(
        self, folder: Path, name: str, host: str, port: int, context: Callable[[], ssl.SSLContext]
    ) -> None:
        self.host, self.port, self._context = host, port, context
        (self.http_port,) = free_ports(1)
        command: list[str | Path] = [
            *(sys.executable, "-m", "adapter.cli", "serve", "--config", folder / self.CONFIG),
            *("--data", folder / name),
            *("--http", f"127.0.0.1:{self.http_port}", "--https", f"{host}:{port}"),
        ]
        super().__init__(
            command, folder / f"{name}.log", lambda: is_ok(f"https://{host}:{port}/readyz", context())
        )

    def kill(self) -> None:
        """The process that serves and the one that watches it at once, as a container ends that lacks memory."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        self.stop(signal.SIGKILL)

    def readiness(self) -> Answer | None:
        """What a probe gets; None while nobody answers."""
        try:
            return request("GET", f"https://{self.host}:{self.port}/readyz", context=self._context())
        except OSError:
            return None

    def ask(self, path: str, identity: KeyPair, user: str) -> Json:
        """What it answers to a front proxy that vouches for that user. Raises OSError, ValueError."""
        context = self._context()
        context.load_cert_chain(identity.certificate, identity.key)
        url, headers = f"https://{self.host}:{self.port}{path}", {"X-Remote-User": user}
        return dict(json.loads(request("GET", url, headers=headers, context=context).body))

    def answered(self) -> float:
        """How many requests of the metrics API it has answered with 200 since it was started."""
        page = request("GET", f"http://127.0.0.1:{self.http_port}/metrics").body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == "tidecast_http_requests_total"
            and sample.labels == {"api": "metrics", "code": "200"}
        )


class Front:
    """A TCP port that deals its connections out to others in turn."""

    def __init__(self, port: int, to: Sequence[int]) -> None:
        self._port, self._turn, self._count = port, itertools.cycle(to), len(to)
        self._loop, self._stopping = asyncio.new_event_loop(), asyncio.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self._run, args=[socket.create_server(("127.0.0.1", self._port))]
        )
        self._thread.start()

    def close(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._thread = None

    def _run(self, sock: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(sock))

    async def _serve(self, sock: socket.socket) -> None:
        server = await asyncio.start_server(self._take, sock=sock)
        await self._stopping.wait()
        server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in itertools.islice(self._turn, self._count):
            try:
                there, back = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                continue
            with contextlib.suppress(asyncio.CancelledError):  # asyncio would tell of it as of a fault
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer), return_exceptions=True)
            break
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def _link(address: str, authority: Authority, pair: KeyPair) -> Json:
    files = {"caFile": authority.certificate, "certFile": pair.certificate, "keyFile": pair.key}
    return {"address": address} | {name: str(path) for name, path in files.items()}
