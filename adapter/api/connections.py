"""Bounds of a listening socket: so many connections, so long for a handshake and for the head of a request.

aiohttp's parser bounds sizes; what it lets a client do is to open connections without end, and to send a request so slowly
that it never comes. Either could starve the HPA. Where there is no room for a new connection, one goes that was never
admitted to anything, the quietest first: who may ask can't be kept out by those who may not.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from cme.core.clock import Clock

Inner = asyncio.Protocol
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_CONNECTIONS = 2_000
IDLE_MS = 3_600_000
"""Longer than any client of Kubernetes keeps a connection for later."""
HEAD_MS = 10_000
HANDSHAKE_SECONDS = 5
SWEEP_MS = 1_000

log = logging.getLogger("tidecast.adapter.http")
"""aiohttp's own words about connections."""
log.addFilter(lambda record: not _is_about_bytes(record))


def _is_about_bytes(record: logging.LogRecord) -> bool:
    """What is no HTTP gets its 400; a traceback for each would let anybody fill the disk."""
    return record.exc_info is not None and isinstance(record.exc_info[1], HttpProcessingError)


class Connections:
    """All open connections of one socket."""

    def __init__(self, clock: Clock, on_refused: Callable[[], None]) -> None:
        """`on_refused` is called for each connection that is closed because it breaks a bound."""
        self._clock, self._on_refused = clock, on_refused
        self._open: dict[asyncio.Protocol, Watched] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def listen(
        self, server: Callable[[], Inner], sock: socket.socket, tls: ssl.SSLContext | None
    ) -> asyncio.Server:
        """Serve a listening socket with the protocols that `server` makes."""
        timeout = HANDSHAKE_SECONDS if tls else None
        return await asyncio.get_running_loop().create_server(
            lambda: Watched(server(), self), sock=sock, ssl=tls, ssl_handshake_timeout=timeout
        )

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """To be the outermost of an application that admits nobody to anything."""
        self.begin_answer(request.protocol)
        try:
            return await handler(request)
        finally:
            self.end_answer(request.protocol, False)

    def begin_answer(self, inner: Inner) -> None:
        """The head of a request has come."""
        if connection := self._open.get(inner):
            connection.begin_answer(self.now())

    def end_answer(self, inner: Inner, admitted: bool) -> None:
        """It has been answered; `admitted` tells whether its sender may ask."""
        if connection := self._open.get(inner):
            connection.end_answer(admitted)

    async def sweep(self) -> None:
        """Close connections whose request does not come, and what nobody uses; to be called every SWEEP_MS."""
        now = self.now()
        for connection in list(self.all()):
            if connection.waiting_since is not None and connection.waiting_since < now - HEAD_MS:
                self._on_refused()
                connection.abort()
            elif not connection.answering and connection.asked < now - IDLE_MS:
                connection.abort()

    def all(self) -> "Collection[Watched]":
        return self._open.values()

    def now(self) -> int:
        return self._clock.monotonic_ms()

    def add(self, inner: Inner, connection: "Watched") -> bool:
        """Whether there is room for one more, made where there is none."""
        if len(self._open) >= MAX_CONNECTIONS:
            self._on_refused()
            if not self._make_room():
                return False
        self._open[inner] = connection
        return True

    def _make_room(self) -> bool:
        idle = [(inner, one) for inner, one in self._open.items() if not one.answering]
        if not idle:
            return False
        inner, connection = min(idle, key=lambda pair: pair[1].worth)
        self.remove(inner)
        connection.abort()
        return True

    def remove(self, inner: Inner) -> None:
        self._open.pop(inner, None)


class Watched(asyncio.Protocol):
    """A connection that hands on all events to its protocol, and knows since when it owes us the head of a request.

    An idle one owes nothing: kube-apiserver keeps connections open for later.
    """

    def __init__(self, inner: Inner, connections: Connections) -> None:
        self._inner, self._connections = inner, connections
        self._transport: asyncio.Transport | None = None
        self._refused = False
        self._admitted, self.asked = False, connections.now()
        self.answering = False
        self.waiting_since: int | None = connections.now()

    @property
    def worth(self) -> tuple[bool, int]:
        """By which the first to go is found: whether it was admitted to anything, and when it asked last."""
        return self._admitted, self.asked

    def begin_answer(self, now: int) -> None:
        self.answering, self.waiting_since, self.asked = True, None, now

    def end_answer(self, admitted: bool) -> None:
        self.answering, self._admitted = False, self._admitted or admitted

    def abort(self) -> None:
        assert self._transport
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(
            asyncio.Transport, transport
        )  # uvloop's are of classes of their own
        self._refused = not self._connections.add(self._inner, self)
        if self._refused:
            transport.abort()
        else:
            self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self.answering and self.waiting_since is None:
            self.waiting_since = self._connections.now()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._refused else self._inner.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._refused:
            self._connections.remove(self._inner)
            self._inner.connection_lost(error)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
