"""A real HTTP server on loopback that says what the test wants, good or bad."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PLAIN = "text/plain; version=0.0.4"


@dataclass
class Web:
    """What is answered next, and what was asked. `raw` is sent as it stands, without HTTP around it."""

    body: bytes = b""
    content_type: str = PLAIN
    status: int = 200
    headers: str = ""
    raw: bytes | None = None
    silent: bool = False
    endless: bool = False  # sends for as long as somebody reads
    lasting: bool = False  # keeps the connection after `raw`
    scheme: str = "http"
    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    sent: int = 0
    _connections: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def answers(self, body: bytes, content_type: str = PLAIN, status: int = 200) -> None:
        self.body, self.content_type, self.status = body, content_type, status
        self.headers, self.raw, self.silent, self.endless = "", None, False, False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            self.asked.append(await _request(reader))
            if self.silent:
                await asyncio.Event().wait()
            await self._answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            """The client went away, or the test is over."""
        finally:
            writer.close()
            self._connections.discard(task)

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        length = "" if self.endless else f"Content-Length: {len(self.body)}\r\n"
        head = f"HTTP/1.1 {self.status} X\r\nContent-Type: {self.content_type}\r\nConnection: close\r\n"
        whole = (head + length + self.headers + "\r\n").encode() + self.body
        writer.write(whole if self.raw is None else self.raw)
        await writer.drain()
        if self.lasting:
            await asyncio.Event().wait()
        while self.endless:
            writer.write(b"#" * 65_536)
            self.sent += 65_536
            await writer.drain()

    async def stop(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    lengths = [int(line.split(":")[1]) for line in lines if line.startswith("content-length:")]
    return head + await reader.readexactly(lengths[0] if lengths else 0)


@asynccontextmanager
async def web_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    web = Web(scheme="https" if tls else "http")
    server = await asyncio.start_server(web._serve, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        await web.stop()
