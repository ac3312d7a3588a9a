"""HTTP/1.1 for an API that is only read: no body is, and a request that announces one ends its connection.

The bytes are understood by aiohttp's parser (llhttp), with its bounds of sizes. What aiohttp's server does for a request
beyond that (routes, middlewares, a writer, a stream of its body) takes more processor time than all of the answer, and
nobody needs it here: `python -m tests.bench.metrics_api` tells the price of a request.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from http.client import responses
from typing import cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser, HttpVersion11, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.tcp_helpers import tcp_keepalive

from adapter.api.connections import Connections
from adapter.api.messages import TEXT, Request, Response

Answer = Callable[[Request], Awaitable[Response]]

BUFFER = 65_536
"""Bytes of a body that are kept before no more is read."""
STOP_SECONDS = 15
"""For so long answers that are being found may still be given."""


class HttpServer:
    """Makes the protocol of each connection, and knows those that are open."""

    def __init__(self, answer: Answer, connections: Connections) -> None:
        """`answer` raises nothing."""
        self._answer, self._connections = answer, connections
        self._open: set[HttpProtocol] = set()

    def __call__(self) -> "HttpProtocol":
        return HttpProtocol(self._answer, self._connections, self._open)

    async def stop(self) -> None:
        """Close what is idle, and the others after their answer."""
        awaited = [task for connection in list(self._open) if (task := connection.finish())]
        if awaited:
            await asyncio.wait(awaited, timeout=STOP_SECONDS)


class HttpProtocol(BaseProtocol):
    """A connection. One request is answered at a time; what comes meanwhile waits, and no more is read."""

    def __init__(self, answer: Answer, connections: Connections, among: "set[HttpProtocol]") -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            loop, HttpRequestParser(self, loop, BUFFER, auto_decompress=False, max_msg_queue_size=1)
        )
        self._answer, self._connections, self._among = answer, connections, among
        self._certificate: bytes | None = None
        self._answering: asyncio.Task[None] | None = None
        self._waiting, self._held, self._ends = b"", False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        tcp_keepalive(cast(asyncio.Transport, transport))
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if tls else None
        self._among.add(self)

    def connection_lost(self, error: BaseException | None) -> None:
        super().connection_lost(error)
        self._among.discard(self)
        self._ends, self._parser = True, None  # which holds this, and half a body

    def data_received(self, data: bytes) -> None:
        if self._ends or not self.transport:
            return
        if self._answering or self.writing_paused:
            self._waiting, self._held = self._waiting + data, True
            self.transport.pause_reading()
        else:
            self._begin(data)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._go_on()

    def finish(self) -> asyncio.Task[None] | None:
        """Take no more requests; the answer that is being found, if there is one."""
        self._ends = True
        if self._answering is None and self.transport:
            self.transport.close()
        return self._answering

    def _begin(self, data: bytes) -> None:
        """With the next request, if it is whole."""
        assert self._parser
        try:
            messages, *_ = self._parser.feed_data(data)  # one at most
        except HttpProcessingError as error:
            refusal = Response(400, error.message.encode(errors="replace"), TEXT)
            self._write(_encoded(refusal, last=True, version="HTTP/1.0"), last=True)  # as it may claim any
            return
        for message, body in messages:
            self._answering = self._loop.create_task(self._exchange(message, _is_last(message, body)))

    async def _exchange(self, message: RawRequestMessage, last: bool) -> None:
        url = message.url
        request = Request(message.method, url.raw_path, url.query, message.headers, self._certificate)
        self._connections.begin_answer(self)
        try:
            response = await self._answer(request)
        finally:
            self._connections.end_answer(self, request.admitted)
            self._answering = None
        if self.transport and self._parser:
            self._parser.message_consumed()
            last = last or self._ends
            self._write(_encoded(response, last, message.method == "HEAD"), last)
            self._go_on()

    def _go_on(self) -> None:
        """To what has come meanwhile, once the client takes what it was sent."""
        if self._ends or self._answering or self.writing_paused or not self.transport:
            return
        waiting, self._waiting = self._waiting, b""
        self._begin(waiting)  # the parser, too, may hold the next one
        if self._held and not (self._answering or self._ends):
            self._held = False
            self.transport.resume_reading()

    def _write(self, answer: bytes, last: bool) -> None:
        assert self.transport
        self.transport.write(answer)
        if last:
            self._ends = True
            self.transport.close()


def _is_last(message: RawRequestMessage, body: StreamReader) -> bool:
    """Whether nothing that follows is understood: a body, another protocol, or what an old client means."""
    other = message.upgrade or message.version != HttpVersion11
    return bool(message.should_close or other or body is not EMPTY_PAYLOAD)


def _encoded(response: Response, last: bool, head_only: bool = False, version: str = "HTTP/1.1") -> bytes:
    code, body, content_type, headers = response
    lines = [f"{version} {code} {responses[code]}", f"Date: {_date(int(time.time()))}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if code != HTTPStatus.NOT_MODIFIED:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    if last:
        lines.append("Connection: close")
    head = "\r\n".join([*lines, "\r\n"]).encode()
    return head if head_only else head + body


@lru_cache(1)
def _date(time_s: int) -> str:
    return formatdate(time_s, usegmt=True)
