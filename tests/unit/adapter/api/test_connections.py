"""Clients that would starve others, on real sockets with a clock of the test's."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from adapter.api import connections as module
from adapter.api.connections import HEAD_MS, IDLE_MS, Connections
from adapter.api.messages import Request, Response
from adapter.api.protocol import HttpServer
from adapter.server import served, served_page
from cme.core.clock import ManualClock

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ADMITTED_REQUEST = b"GET /admitted HTTP/1.1\r\nHost: x\r\n\r\n"


class Stage:
    def __init__(self) -> None:
        self.clock, self.refused, self.port = ManualClock(0), 0, 0
        self.connections = Connections(self.clock, self._refuse)
        self.answering, self.may_answer = asyncio.Event(), asyncio.Event()

    def _refuse(self) -> None:
        self.refused += 1

    async def answer(self, request: Request) -> Response:
        self.answering.set()
        request.admitted = request.path == "/admitted"
        await self.may_answer.wait()
        return Response(200, b"ok")

    async def open(self) -> "Client":
        return Client(*await asyncio.open_connection("127.0.0.1", self.port))

    async def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)
        await self.connections.sweep()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> bytes:
        """Status line of an answer; empty when the connection was closed instead."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await self._reader.readuntil(b"\r\n\r\n")
            await self._reader.readexactly(2)
            return head.split(b"\r\n")[0]
        return b""

    async def closed(self) -> bool:
        with contextlib.suppress(ConnectionError):
            return await self._reader.read() == b""
        return True

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    sock = socket.create_server(("127.0.0.1", 0))
    made.port = sock.getsockname()[1]
    async with served(HttpServer(made.answer, made.connections), sock.detach(), made.connections, None):
        yield made


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until sockets have told it."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for are the loop's own turns
            await asyncio.sleep(0)


async def until_open(stage: Stage, count: int) -> None:
    await until(lambda: len(stage.connections) == count)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo"])
async def test_a_request_that_does_not_come_is_not_waited_for(sent: bytes, stage: Stage) -> None:
    client = await stage.open()
    await client.send(sent)
    await until_open(stage, 1)
    await stage.pass_time(HEAD_MS)
    assert len(stage.connections) == 1
    await stage.pass_time(1)
    assert await client.closed()
    assert stage.refused == 1
    await client.close()


async def test_what_is_no_http_is_told_so_and_fills_no_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    client = await stage.open()
    await client.send(b"\x16\x03\x01\r\n\r\n")
    assert await client.answer() == b"HTTP/1.0 400 Bad Request"
    assert not caplog.records
    await client.close()


async def test_an_answer_may_take_its_time(stage: Stage) -> None:
    client = await stage.open()
    await client.send(REQUEST)
    await stage.answering.wait()
    await stage.pass_time(10 * HEAD_MS)
    stage.may_answer.set()
    assert await client.answer() == b"HTTP/1.1 200 OK"
    await client.close()


async def test_the_page_is_under_the_same_bounds(stage: Stage) -> None:
    async def answer(request: web.Request) -> web.Response:
        stage.answering.set()
        await stage.may_answer.wait()
        return web.Response(text="ok")

    app, sock = web.Application(), socket.create_server(("127.0.0.1", 0))
    app.router.add_get("/", answer)
    stage.port = sock.getsockname()[1]
    async with served_page(app, sock.detach(), stage.connections):
        slow, silent = await stage.open(), await stage.open()
        await slow.send(REQUEST)
        await stage.answering.wait()
        await until_open(stage, 2)
        await stage.pass_time(HEAD_MS + 1)
        assert await silent.closed()
        stage.may_answer.set()
        assert await slow.answer() == b"HTTP/1.1 200 OK"
        for client in (slow, silent):
            await client.close()


async def test_an_idle_connection_may_stay_for_the_next_request(stage: Stage) -> None:
    stage.may_answer.set()
    client = await stage.open()
    for _ in range(3):
        await client.send(REQUEST)
        assert await client.answer() == b"HTTP/1.1 200 OK"
        await stage.pass_time(2 * HEAD_MS)
    assert stage.refused == 0
    await client.close()


async def test_what_nobody_uses_is_closed_in_the_end(stage: Stage) -> None:
    stage.may_answer.set()
    client = await stage.open()
    await client.send(REQUEST)
    assert await client.answer() == b"HTTP/1.1 200 OK"
    await stage.pass_time(IDLE_MS)
    assert len(stage.connections) == 1
    await stage.pass_time(1)
    assert await client.closed()
    assert stage.refused == 0
    await client.close()


async def test_a_later_request_must_come_in_time_too(stage: Stage) -> None:
    stage.may_answer.set()
    client = await stage.open()
    await client.send(REQUEST)
    assert await client.answer()
    await client.send(b"GET / HT")
    await until(lambda: any(one.waiting_since is not None for one in stage.connections.all()))
    await stage.pass_time(HEAD_MS + 1)
    assert await client.closed()
    await client.close()


async def test_where_there_is_no_room_the_quietest_goes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 2)
    stage.may_answer.set()
    first, second = await stage.open(), await stage.open()
    for client in (second, first):  # the first asks last
        stage.clock.advance(1)
        await client.send(REQUEST)
        assert await client.answer() == b"HTTP/1.1 200 OK"
    third = await stage.open()
    assert await second.closed()
    assert stage.refused == 1
    for client in (first, third):
        await client.send(REQUEST)
        assert await client.answer() == b"HTTP/1.1 200 OK"
    for client in (first, second, third):
        await client.close()


async def test_while_all_are_being_answered_no_more_are_taken(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 1)
    busy = await stage.open()
    await busy.send(REQUEST)
    await stage.answering.wait()
    late = await stage.open()
    assert await late.closed()
    stage.may_answer.set()
    assert await busy.answer() == b"HTTP/1.1 200 OK"
    for client in (busy, late):
        await client.close()


HALF = b"GET / HTTP/1.1\r\nHost: x"


@pytest.mark.parametrize(
    "flood", [b"", HALF, REQUEST, REQUEST + HALF], ids=["silent", "half", "idle", "both"]
)
async def test_who_was_admitted_is_not_put_out_by_those_who_were_not(
    flood: bytes, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 5)
    stage.may_answer.set()
    kept = await stage.open()
    await kept.send(ADMITTED_REQUEST)
    assert await kept.answer() == b"HTTP/1.1 200 OK"
    hostile = []
    for _ in range(50):
        stage.clock.advance(1)
        hostile.append(await stage.open())
        await hostile[-1].send(flood)
        if flood.startswith(REQUEST):
            assert await hostile[-1].answer() == b"HTTP/1.1 200 OK"
        await until(lambda: len(stage.connections) <= 5)
    new = await stage.open()
    for client in (kept, new):
        await client.send(ADMITTED_REQUEST)
        assert await client.answer() == b"HTTP/1.1 200 OK"
    for client in (*hostile, kept, new):
        await client.close()
