"""The metrics API on a loopback socket, as the adapter serves it."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

from adapter.api.app import MetricsApi
from adapter.api.connections import Connections
from adapter.api.protocol import HttpServer
from adapter.server import served
from cme.core.clock import SystemClock


@contextlib.asynccontextmanager
async def listening(api: MetricsApi, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Its URL."""
    connections, sock = Connections(SystemClock(), lambda: None), socket.create_server(("127.0.0.1", 0))
    url = f"{'https' if context else 'http'}://127.0.0.1:{sock.getsockname()[1]}"
    async with served(HttpServer(api.answer, connections), sock.detach(), connections, context):
        yield url
