"""The adapter's process: two sockets, one log, the view between them.

`python -m adapter.server` reads its start from one line of JSON on standard input and answers with one line on
standard output: `ready`, or why it can't start. It stops when its input closes, so that it never outlives the
process that started it.
"""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry

from adapter.access.gate import Gate
from adapter.answers import Answers
from adapter.api import tls
from adapter.api.app import MetricsApi
from adapter.api.connections import SWEEP_MS, Connections
from adapter.follow import Follower
from adapter.view import View
from adapter.web.app import Page
from cme.core.clock import Clock, SystemClock
from cme.core.errors import TidecastError
from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import AdapterTelemetry

FOLLOW_MS = 200
REFRESH_MS = 10_000
"""Of certificates on the disk and of what the cluster publishes."""


async def serve(settings: Settings, http_fd: int, https_fd: int, ops_url: str) -> None:
    """Serve until standard input closes. Raises TidecastError, OSError."""
    registry, clock = CollectorRegistry(), SystemClock()
    telemetry, view = AdapterTelemetry(registry), View(clock)
    answers, gate = Answers(view, settings), await asyncio.to_thread(_gate, settings, clock)
    certificate = settings.certificate or tls.generated(tls.tls_folder(settings), tls.utc_now())
    server_tls = tls.ServerTls(certificate, gate.trust.authorities if gate else "")
    log = EmbeddedLog.open(settings.data, writable=False)
    follower = Follower(log, view, log.data_version, telemetry.damages.inc)
    connections = Connections(clock, telemetry.connections_refused.inc)
    api, page = (
        MetricsApi(view, answers, gate, telemetry).app,
        Page(view, answers, registry, telemetry, ops_url).app,
    )

    async def refresh() -> None:
        if gate is not None:
            await gate.refresh()
        server_tls.refresh(gate.trust.authorities if gate else "")
        telemetry.certificate_expires.set(server_tls.expires.timestamp())

    async with (
        _served(api, https_fd, connections, server_tls.context),
        _served(page, http_fd, connections, None),
    ):
        loops = [
            asyncio.create_task(every(period_ms, clock, turn, telemetry.faults.inc))
            for period_ms, turn in (
                (FOLLOW_MS, follower.turn),
                (REFRESH_MS, refresh),
                (SWEEP_MS, connections.sweep),
            )
        ]
        _answer("ready")
        try:
            await _until_closed()
        finally:
            await stop(*loops)
            log.close()


def _gate(settings: Settings, clock: Clock) -> Gate | None:
    """None without a cluster, which leaves loopback addresses only."""
    if settings.kubernetes is None:
        return None
    from cme.kube import KubeClient

    return Gate(KubeClient(settings.kubernetes), clock)


@contextlib.asynccontextmanager
async def _served(
    app: web.Application, descriptor: int, connections: Connections, context: ssl.SSLContext | None
) -> AsyncIterator[None]:
    app.middlewares.insert(0, connections.middleware)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    assert runner.server
    server = await connections.listen(runner.server, socket.socket(fileno=descriptor), context)
    try:
        yield
    finally:
        server.close()
        await runner.cleanup()


async def _until_closed() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    start: dict[str, Any] = json.loads(sys.stdin.readline())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings.model_validate(start["settings"])
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
