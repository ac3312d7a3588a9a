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
from typing import Any

import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry

from adapter.answers import Answers
from adapter.api import tls
from adapter.api.app import MetricsApi
from adapter.api.front_proxy import CONFIG_MAP, FrontProxy
from adapter.follow import Follower
from adapter.view import View
from adapter.web.app import Page
from cme.core.clock import SystemClock
from cme.core.errors import TidecastError
from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import AdapterTelemetry

FOLLOW_MS = 200


async def serve(settings: Settings, http_fd: int, https_fd: int, ops_url: str) -> None:
    """Serve until standard input closes. Raises TidecastError, OSError."""
    registry, clock = CollectorRegistry(), SystemClock()
    telemetry, view = AdapterTelemetry(registry), View(clock)
    answers, front_proxy = Answers(view, settings), _front_proxy(settings)
    log = EmbeddedLog.open(settings.data, writable=False)
    runners = [
        await _site(
            MetricsApi(view, answers, front_proxy, telemetry).app, https_fd, _tls(settings, front_proxy)
        ),
        await _site(Page(view, answers, registry, telemetry, ops_url).app, http_fd, None),
    ]
    follower = Follower(log, view, log.data_version, telemetry.damages.inc)
    following = asyncio.create_task(every(FOLLOW_MS, clock, follower.turn, telemetry.faults.inc))
    _answer("ready")
    try:
        await _until_closed()
    finally:
        await stop(following)
        for runner in runners:
            await runner.cleanup()
        log.close()


def _front_proxy(settings: Settings) -> FrontProxy | None:
    if settings.kubernetes is None:
        return None
    from cme.kube import KubeClient

    with contextlib.closing(KubeClient(settings.kubernetes)) as client:
        return FrontProxy.of(client.get(CONFIG_MAP))


def _tls(settings: Settings, front_proxy: FrontProxy | None) -> ssl.SSLContext:
    certificate = settings.certificate or tls.generated(tls.tls_folder(settings), tls.utc_now())
    return tls.server_context(certificate, front_proxy)


async def _site(app: web.Application, descriptor: int, context: ssl.SSLContext | None) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.SockSite(runner, socket.socket(fileno=descriptor), ssl_context=context).start()
    return runner


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
