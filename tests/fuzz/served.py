"""The metrics API on a real loopback socket, in this process, with its bounds of connections and a clock of the test's."""

import asyncio
import contextlib
import re
import socket
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from adapter.access.gate import Gate
from adapter.api.app import MetricsApi
from adapter.api.connections import HEAD_MS, Connections
from adapter.api.protocol import HttpServer
from adapter.api.readiness import Readiness
from adapter.server import served
from cme.core.clock import ManualClock
from cme.runtime.telemetry import AdapterTelemetry
from tests.fuzz.requests import PATHS, TOKEN
from tests.unit.adapter.access.cluster import Cluster
from tests.unit.adapter.stage import Stage, policy

WEB, DEAD = policy("web"), policy("dead")
VALUES = {
    ("web", "qps"): "250",
    ("web", "queue_backlog"): "60",
    ("web", "qps_per_replica"): "125",
    ("web", "queue_backlog_per_replica"): "30",
    ("web", "qps_scaling"): "250",
    ("web", "queue_backlog_scaling"): "60",
    ("web", "replicas_scaling"): "3",
    ("web", "replicas_schedule"): "0",
    ("dead", "replicas_schedule"): "0",
    ("web-1", "qps_scaling"): "125",
    ("web-2", "qps_scaling"): "125",
    ("web-1", "queue_backlog_scaling"): "30",
    ("web-2", "queue_backlog_scaling"): "30",
    ("web-1", "replicas_scaling"): "1500m",
    ("web-2", "replicas_scaling"): "1500m",
    ("web-1", "replicas_schedule"): "0",
    ("web-2", "replicas_schedule"): "0",
    ("shop", "qps"): "250",
    ("shop", "queue_backlog"): "60",
}
"""All there is, by object and metric. Of `dead` nothing is measured: the Namespace has a sum only where a selector
leaves it out."""

TURNS = 30
"""Of the event loop without an answer, after which what has not been answered is taken to be half a request."""


LENGTH = re.compile(rb"\ncontent-length: (\d+)", re.IGNORECASE)


class Exchange(asyncio.Protocol):
    """One request on a connection of its own; `done` is what came back when it is whole, or when the server closed."""

    def __init__(self, request: bytes) -> None:
        self.request, self.answer = request, b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.answer = (self.answer + data).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._is_whole():
            self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        self._finish()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        if self._transport:
            self._transport.abort()

    def _is_whole(self) -> bool:
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return False
        if self.request.lstrip(b"\r\n").startswith(b"HEAD ") or head.startswith(b"HTTP/1.1 304"):
            return True
        length = LENGTH.search(head)
        # An answer without a length ends with its connection.
        return length is not None and len(body) >= int(length[1])


@dataclass
class Served:
    port: int
    connections: Connections
    clock: ManualClock

    async def exchange(self, requests: Sequence[bytes]) -> list[bytes]:
        """What is answered to each, b"" where the connection was closed without an answer."""
        exchanges = await asyncio.gather(*map(self._begin, requests))
        before = len(exchanges) + 1
        async with asyncio.timeout(60):
            while pending := sum(not one.done.done() for one in exchanges):
                if pending == before:
                    await self._hang_up()
                before = pending
                for _ in range(TURNS):
                    await asyncio.sleep(0)
        return [exchange.answer for exchange in exchanges]

    async def ask(self, request: bytes) -> bytes:
        """What is answered to one that is whole."""
        exchange = await self._begin(request)
        async with asyncio.timeout(60):
            await exchange.done
        return exchange.answer

    async def is_quiet(self) -> None:
        """Wait until the server has forgotten all connections that have ended."""
        async with asyncio.timeout(60):
            while len(self.connections):  # noqa: ASYNC110 - what is waited for are the loop's own turns
                await asyncio.sleep(0)

    async def _begin(self, request: bytes) -> Exchange:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(lambda: Exchange(request), "127.0.0.1", self.port))[1]

    async def _hang_up(self) -> None:
        """As it does by itself when the rest of a request does not come in time."""
        self.clock.advance(HEAD_MS + 1)
        await self.connections.sweep()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    """With one token that may read everything."""
    stage = Stage(WEB, DEAD)
    stage.measure(WEB, qps=250.0, queue_backlog=60.0)
    stage.run(WEB, "web-1", "web-2", app="web")
    stage.decide()
    cluster = Cluster(
        tokens={TOKEN: {"username": "reader"}},
        allowed={("reader", "*"), *_paths()},
        reviews=deque(maxlen=0),  # a cluster that remembers grows
    )
    telemetry, clock = AdapterTelemetry(CollectorRegistry()), ManualClock(0)
    gate = await asyncio.to_thread(Gate, cluster, stage.clock)
    api = MetricsApi(stage.view, stage.answers, gate, telemetry, Readiness(stage.view))
    sock = socket.create_server(("127.0.0.1", 0))
    port, connections = sock.getsockname()[1], Connections(clock, telemetry.connections_refused.inc)
    async with served(HttpServer(api.answer, connections), sock.detach(), connections, None):
        yield Served(port, connections, clock)


def _paths() -> set[tuple[str, str]]:
    """What discovery and its like are for authorization."""
    return {("reader", path) for path in PATHS if "/namespaces/" not in path}
