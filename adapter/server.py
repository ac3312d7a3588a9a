"""The adapter's process: two sockets, one log, the view between them.

`python -m adapter.server` reads its start from one line of JSON on standard input and answers with one line on
standard output: `ready`, or why it can't start. Another line bids it leave: it is not ready any more, and answers all the
same. It stops when its input closes, so that it never outlives the process that started it.
"""

import asyncio
import contextlib
import gc
import json
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry

from adapter.access.gate import Gate
from adapter.answers import Answers
from adapter.api import tls
from adapter.api.app import MetricsApi
from adapter.api.connections import SWEEP_MS, Connections, log
from adapter.api.own_certificate import OwnCertificate, names_of, tls_folder
from adapter.api.protocol import HttpServer
from adapter.api.readiness import Readiness
from adapter.explain import Explainer
from adapter.follow import Follower, Tolerant
from adapter.registration.keeper import PERIOD_MS, Keeper
from adapter.running import PODS, RunningPods
from adapter.view import View
from adapter.web.app import Page
from cme.core.clock import Clock, SystemClock
from cme.core.errors import TidecastError
from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog
from cme.log.follower import FollowedLog
from cme.log.opening import reading
from cme.log.protocol import Log, LogReplaced
from cme.runtime.reflector import RETRY_MS, Reflector
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import AdapterTelemetry

FOLLOW_MS = 200
REFRESH_MS = 10_000
"""Of certificates on the disk and of what the cluster publishes."""


async def serve(settings: Settings, http_fd: int, https_fd: int, ops_url: str) -> None:
    """Serve until standard input closes. Raises TidecastError, OSError."""
    registry, clock = CollectorRegistry(), SystemClock()
    telemetry, view = AdapterTelemetry(registry), View(clock)
    cluster = await asyncio.to_thread(_Cluster.of, settings, clock, telemetry)
    answers = Answers(view, settings, cluster.running if cluster else None)
    gate, keeper = (cluster.gate, cluster.keeper) if cluster else (None, None)
    access = _Access(settings, gate, keeper, telemetry)
    connections = Connections(clock, telemetry.connections_refused.inc)
    readiness = Readiness(view, cluster.pods if cluster else None)
    api = HttpServer(MetricsApi(view, answers, gate, telemetry, readiness).answer, connections)
    log, version = _opened(settings)
    with contextlib.closing(log):
        explainer = Explainer(log, settings.signal_stale_ms)
        page = Page(view, answers, registry, telemetry, ops_url, explainer).app
        following = Tolerant(Follower(log, view, version, telemetry.damages.inc), telemetry.faults.inc)
        beats = [
            (FOLLOW_MS, following.turn),
            (REFRESH_MS, access.refresh),
            (SWEEP_MS, connections.sweep),
            *([(RETRY_MS, cluster.pods.turn)] if cluster else []),
            *([(PERIOD_MS, keeper.turn)] if keeper else []),
        ]
        async with (
            served(api, https_fd, connections, access.tls.context),
            served_page(page, http_fd, connections),
            _running(*(every(period_ms, clock, turn, telemetry.faults.inc) for period_ms, turn in beats)),
        ):
            _answer("ready")
            await _until_closed(following.replaced, readiness.leave)


def _opened(settings: Settings) -> tuple[Log, Callable[[int], int]]:
    """The log to read, and what tells that it may have grown, as `Follower` wants it. Raises LogFailed."""
    log = reading(settings)
    match log:
        case FollowedLog():
            return log, log.wait
        case EmbeddedLog():
            return log, lambda _: log.data_version()
    return log, lambda seen: seen + 1  # to ask is to read


@dataclass(frozen=True)
class _Cluster:
    """What the cluster tells: who asks, and which pods run; and what keeps us registered there, if the settings ask for
    it."""

    gate: Gate
    running: RunningPods
    pods: Reflector
    keeper: Keeper | None

    @classmethod
    def of(cls, settings: Settings, clock: Clock, telemetry: AdapterTelemetry) -> "_Cluster | None":
        """Without a cluster there is none, which leaves loopback addresses only, and pods that never leave.

        Raises KubeFailed.
        """
        if settings.kubernetes is None:
            return None
        from cme.kube import KubeClient

        client, running = KubeClient(settings.kubernetes), RunningPods(clock)
        pods = Reflector(client.metadata, PODS, running, clock, telemetry.pods)
        asked = settings.registration
        keeper = Keeper(client, settings, asked, telemetry) if asked else None
        return cls(Gate(client, clock), running, pods, keeper)


class _Access:
    """What is read again from time to time: whom the cluster trusts, and the certificate on the disk."""

    def __init__(
        self, settings: Settings, gate: Gate | None, keeper: Keeper | None, telemetry: AdapterTelemetry
    ) -> None:
        """Raises TidecastError, OSError."""
        self._gate, self._keeper, self._telemetry = gate, keeper, telemetry
        certificate, self._own = settings.certificate, None
        if certificate is None:
            names = names_of(settings.registration)
            self._own = OwnCertificate(tls_folder(settings), names, datetime.now(UTC))
            certificate = self._own.certificate
        self.tls = tls.ServerTls(certificate, self._authorities)

    @property
    def _authorities(self) -> str:
        return self._gate.trust.authorities if self._gate else ""

    async def refresh(self) -> None:
        """Raises KubeFailed, InvalidInput, OSError."""
        if self._own is not None:
            known = self._keeper is None or self._keeper.published == self._own.authorities
            self._own.step(datetime.now(UTC), known)
        try:
            if self._gate is not None:
                await self._gate.refresh()
        finally:  # a certificate whose predecessor's authority is told no more must be served without the cluster, too
            self.tls.refresh(self._authorities)
        self._telemetry.certificate_expires.set(self.tls.expires.timestamp())


@contextlib.asynccontextmanager
async def _running(*loops: Coroutine[None, None, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
    finally:
        await stop(*tasks)


@contextlib.asynccontextmanager
async def served(
    api: HttpServer, descriptor: int, connections: Connections, context: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """The metrics API at a bound socket."""
    server = await connections.listen(api, socket.socket(fileno=descriptor), context)
    try:
        yield
    finally:
        server.close()
        await api.stop()


@contextlib.asynccontextmanager
async def served_page(app: web.Application, descriptor: int, connections: Connections) -> AsyncIterator[None]:
    """The page at a bound socket."""
    app.middlewares.insert(0, connections.middleware)
    # No handler reads a body, so none is unpacked, and nobody waits for the rest of one.
    runner = web.AppRunner(
        app, access_log=None, logger=log, auto_decompress=False, lingering_time=0, handle_signals=False
    )
    await runner.setup()
    assert runner.server
    server = await connections.listen(runner.server, socket.socket(fileno=descriptor), None)
    try:
        yield
    finally:
        server.close()
        await runner.cleanup()


async def _until_closed(replaced: asyncio.Event, leave: Callable[[], None]) -> None:
    """`leave` is called for each line. Raises LogReplaced when what is served has been read from a log that is gone: who
    starts us begins anew."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    closed, other = asyncio.create_task(_heed(reader, leave)), asyncio.create_task(replaced.wait())
    try:
        await asyncio.wait([closed, other], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(closed, other)
    if replaced.is_set():
        raise LogReplaced("the log has been replaced by another one; start again to read that")


async def _heed(reader: asyncio.StreamReader, leave: Callable[[], None]) -> None:
    while await reader.readline():
        leave()


def main() -> None:
    start: dict[str, Any] = json.loads(sys.stdin.readline())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings.model_validate(start["settings"])
    gc.freeze()  # modules stay for ever: looking through them for garbage would only delay answers
    try:
        uvloop.run(serve(settings, start["http_fd"], start["https_fd"], start["ops_url"]))
    except (TidecastError, OSError) as error:  # ssl.SSLError is an OSError
        _answer(" ".join(str(error).split()))
        sys.exit(2)


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
