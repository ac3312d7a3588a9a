"""HTTP of the metrics API, on real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from adapter.api.connections import Connections
from adapter.api.messages import Request, Response
from adapter.api.protocol import HttpServer
from adapter.server import served
from cme.core.clock import ManualClock

TURNS = 1_000
"""Of the event loop in which nothing happens any more."""
GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"


class Stage:
    """A server that answers once it may, with the path it was asked for."""

    def __init__(self) -> None:
        self.connections = Connections(ManualClock(0), lambda: None)
        self.asked: list[Request] = []
        self.asking, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()
        self.size, self.port = 0, 0
        self.server = HttpServer(self.answer, self.connections)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        self.asking.set()
        await self.may_answer.wait()
        return Response(200, request.path.encode() + b"x" * self.size, headers={"ETag": '"1"'})

    async def ask(self, sent: bytes) -> bytes:
        """All that is answered until the server ends the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made, sock = Stage(), socket.create_server(("127.0.0.1", 0))
    made.port = sock.getsockname()[1]
    async with served(made.server, sock.detach(), made.connections, None):
        yield made


def last(path: bytes, *lines: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    """A request after which the connection ends."""
    head = (b"%s /%s HTTP/%s" % (method, path, version), b"Host: x", b"Connection: close", *lines)
    return b"\r\n".join([*head, b"", b""])


async def test_an_answer_on_the_wire(stage: Stage) -> None:
    head, _, body = (await stage.ask(last(b"a%20b?x=1&x=2", b"Accept: a"))).partition(b"\r\n\r\n")
    first, date, *lines = head.split(b"\r\n")
    assert (first, body) == (b"HTTP/1.1 200 OK", b"/a%20b")
    assert date.startswith(b"Date: ")
    assert date.endswith(b" GMT")
    assert lines == [
        b'ETag: "1"', b"Content-Type: application/json", b"Content-Length: 6", b"Connection: close",
    ]  # fmt: skip
    (asked,) = stage.asked
    assert (asked.method, asked.path, asked.query.get("x"), asked.headers.get("accept", "")) == (
        "GET", "/a%20b", "1", "a",
    )  # fmt: skip


async def test_requests_of_a_connection_are_answered_in_their_order(stage: Stage) -> None:
    paths = [str(number).encode() for number in range(100)]
    answer = await stage.ask(b"".join(GET % path for path in paths) + last(b"end"))
    assert [request.path for request in stage.asked] == [*(f"/{n}" for n in range(100)), "/end"]
    assert answer.count(b"HTTP/1.1 200 OK") == 101
    assert answer.endswith(b"/end")


async def test_what_comes_while_an_answer_is_found_waits_for_it(stage: Stage) -> None:
    stage.may_answer.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(GET % b"first")
    await stage.asking.wait()
    writer.write((GET % b"second")[:10])
    await writer.drain()
    stage.may_answer.set()
    assert (await reader.readuntil(b"/first")).startswith(b"HTTP/1.1 200 OK")
    writer.write((GET % b"second")[10:])
    assert (await reader.readuntil(b"/second")).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_who_sends_without_end_is_not_read_without_end(stage: Stage) -> None:
    """Else a client that never reads fills the memory with its requests, or with their answers."""
    stage.size = 100_000
    _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    flood = (GET % b"more") * 500_000
    writer.write(flood)
    left, quiet = len(flood), 0
    while quiet < TURNS:
        await asyncio.sleep(0)
        before, left = left, writer.transport.get_write_buffer_size()
        quiet = quiet + 1 if left == before else 0
    assert left > len(flood) / 2
    assert len(stage.asked) < 1_000
    writer.transport.abort()


@pytest.mark.parametrize(
    "sent", [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
)
async def test_a_request_with_a_body_is_answered_at_once_and_is_the_last(sent: bytes, stage: Stage) -> None:
    answer = await stage.ask((GET % b"one")[:-2] + sent + GET % b"two")
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"Connection: close" in answer
    assert answer.endswith(b"/one")


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_no_other_protocol_is_spoken(protocol: bytes, stage: Stage) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: %s\r\n\r\n" % protocol
    answer = await stage.ask((GET % b"one")[:-2] + upgrade + GET % b"two")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\nConnection: close\r\n\r\n/one")


async def test_old_clients_get_one_answer(stage: Stage) -> None:
    keeping = last(b"old", version=b"1.0").replace(b"close", b"keep-alive")
    assert (await stage.ask(keeping)).endswith(b"\r\nConnection: close\r\n\r\n/old")


async def test_head_gets_the_length_without_the_content(stage: Stage) -> None:
    answer = await stage.ask(last(b"path", method=b"HEAD"))
    assert b"\r\nContent-Length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_what_follows_a_good_request_and_is_no_http_is_refused_after_its_answer(stage: Stage) -> None:
    answer = await stage.ask(GET % b"good" + b"\x16\x03\x01\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"/goodHTTP/1.0 400 Bad Request" in answer


async def test_who_hangs_up_while_an_answer_is_found_hurts_nobody(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.may_answer.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(GET % b"gone")
    await stage.asking.wait()
    writer.transport.abort()
    async with asyncio.timeout(10):
        while len(stage.connections):  # noqa: ASYNC110 - what is waited for are the loop's own turns
            await asyncio.sleep(0)
    stage.may_answer.set()
    assert (await stage.ask(last(b"next"))).endswith(b"/next")
    assert not caplog.records


async def test_who_is_being_answered_when_it_stops_gets_his_answer(stage: Stage) -> None:
    stage.may_answer.clear()
    idle, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    asking = asyncio.create_task(stage.ask(GET % b"late"))
    await stage.asking.wait()
    stopping = asyncio.create_task(stage.server.stop())
    assert await idle.read() == b""
    writer.close()
    stage.may_answer.set()
    assert (await asking).endswith(b"\r\nConnection: close\r\n\r\n/late")
    await stopping
