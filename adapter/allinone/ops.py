"""What a process tells of itself over HTTP."""

import contextlib
import socket
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest


@contextlib.asynccontextmanager
async def own_metrics(registry: CollectorRegistry) -> AsyncIterator[str]:
    """Where the adapter fetches the metrics of the process that started it: a port of the kernel's choice on the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        async with served(sock, registry, lambda: True):
            yield f"http://127.0.0.1:{sock.getsockname()[1]}/metrics"


@contextlib.asynccontextmanager
async def served(
    sock: socket.socket, registry: CollectorRegistry, ready: Callable[[], bool]
) -> AsyncIterator[None]:
    """`/metrics`, `/healthz` and `/readyz` at a listening socket."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), content_type="text/plain", charset="utf-8")

    async def healthz(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(request: web.Request) -> web.Response:
        return web.Response(text="ok") if ready() else web.Response(status=503, text="not yet")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield
    finally:
        await runner.cleanup()
