"""Serves a log to followers (follower.py) over HTTP, to be read only. FORMAT.md describes paths and answers.

Who may ask is a matter of the TLS context that it listens with: there is nothing here that is for some only. The log's
owner has other work to do in the same process: what is asked waits for threads of its own, and for its turn of the log.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field, Json, ValidationError

from cme.log.protocol import Damage, Log, LogFailed, Position
from cme.log.record import encode
from cme.log.wire import Head, Number, faults, pack

MAX_ANSWER_BYTES = 8 << 20
"""Of `read`: it ends after the step that goes beyond."""
STEP = 20
"""Batches of the log that are read at once."""
MAX_LIMIT = 1_000
MAX_WAIT_MS = 30_000
POLL_SECONDS = 0.1
"""Between two looks for a waiting follower."""
HANDSHAKE_SECONDS = 5
THREADS = 2
STOP_SECONDS = 1
"""For so long answers that have begun may still be given."""

TimeMs = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Served(Log, Protocol):
    """A log of one row of numbers. Both raise LogFailed."""

    @property
    def identity(self) -> str:
        """See `EmbeddedLog.identity`."""

    def end(self) -> int:
        """See `EmbeddedLog.end`."""


class Read(BaseModel):
    """The query of the path of this name, as are those below."""

    position: Json[dict[str, Number]]
    limit: int = Field(ge=1)


class PositionAt(BaseModel):
    topics: Json[list[str]]
    time_ms: TimeMs


class Newest(BaseModel):
    topic: str
    key: str | None = None


class NewestAt(BaseModel):
    topic: str
    key: str
    time_ms: TimeMs


class End(BaseModel):
    seen: int
    wait_ms: int = Field(ge=0, le=MAX_WAIT_MS)


Query = TypeVar("Query", bound=BaseModel)
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def serving(log: Served, sock: socket.socket, tls: ssl.SSLContext) -> AsyncIterator[None]:
    """Serve a log, which stays its owner's, at a listening socket; an answer that has begun is given first."""
    threads = ThreadPoolExecutor(THREADS, "served-log")
    runner = web.AppRunner(
        _app(_Questions(log, threads)),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=STOP_SECONDS,
        lingering_time=0,
    )
    await runner.setup()
    assert runner.server
    server = await asyncio.get_running_loop().create_server(
        runner.server, sock=sock, ssl=tls, ssl_handshake_timeout=HANDSHAKE_SECONDS
    )
    try:
        yield
    finally:
        server.close()
        transports = [connection.transport for connection in runner.server.connections]
        await runner.cleanup()
        for transport in transports:
            if transport:  # nobody's farewell of TLS is waited for
                transport.abort()
        await asyncio.sleep(0)
        threads.shutdown(wait=False, cancel_futures=True)


def _app(questions: "_Questions") -> web.Application:
    app = web.Application(middlewares=[_errors])
    app.add_routes(
        [
            web.get("/v1/read", questions.answered(Read, questions.read)),
            web.get("/v1/position_at", questions.answered(PositionAt, questions.position_at)),
            web.get("/v1/newest", questions.answered(Newest, questions.newest)),
            web.get("/v1/newest_at", questions.answered(NewestAt, questions.newest_at)),
            web.get("/v1/end", questions.end),
        ]
    )
    return app


class _Questions:
    """Each is answered in a thread. Raise LogFailed, and ValueError for a topic that there is not."""

    def __init__(self, log: Served, threads: ThreadPoolExecutor) -> None:
        self._log, self._threads = log, threads

    def answered(self, model: type[Query], answer: Callable[[Query], bytes]) -> Handler:
        """What handles the requests of one path."""

        async def handle(request: web.Request) -> web.Response:
            query = model.model_validate(dict(request.query))
            return web.Response(body=await self._in_thread(lambda: answer(query)))

        return handle

    def read(self, query: Read) -> bytes:
        position: Position = query.position
        records, damages, left = list[bytes](), list[Damage](), min(query.limit, MAX_LIMIT)
        while left > 0 and sum(map(len, records)) < MAX_ANSWER_BYTES:
            chunk = self._log.read(tuple(position), position, min(left, STEP))
            position, left = chunk.position, left - len(chunk.batches)
            records += map(encode, chunk.batches)
            damages += chunk.damages
            if not chunk.batches:
                break
        return self._packed(records, position, damages)

    def position_at(self, query: PositionAt) -> bytes:
        return self._packed([], self._log.position_at(query.topics, query.time_ms))

    def newest(self, query: Newest) -> bytes:
        return self._packed(map(encode, self._log.newest(query.topic, query.key)))

    def newest_at(self, query: NewestAt) -> bytes:
        found = self._log.newest_at(query.topic, query.key, query.time_ms)
        return self._packed([encode(found)] if found else [])

    async def end(self, request: web.Request) -> web.Response:
        """The long poll."""
        query, loop = End.model_validate(dict(request.query)), asyncio.get_running_loop()
        until = loop.time() + query.wait_ms / 1000
        # Looked at again and again, as the writer may be another process.
        while await self._in_thread(self._log.end) == query.seen and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
        return web.Response(body=await self._in_thread(lambda: self._packed([])))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _packed(
        self, records: Iterable[bytes], position: Position | None = None, damages: Sequence[Damage] = ()
    ) -> bytes:
        """The identity is asked for after the records were read, as `EmbeddedLog.identity` wants it."""
        read = list(records)
        head = Head(
            log=self._log.identity,
            end=self._log.end(),
            position=dict(position or {}),
            damages=tuple(damages),
        )
        return pack(head, read)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as error:
        return web.Response(status=400, text=faults(error))
    except ValueError as error:
        return web.Response(status=400, text=str(error))
    except LogFailed as error:
        return web.Response(status=503, text=" ".join(str(error).split()))
