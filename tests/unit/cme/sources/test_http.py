from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cme.core.settings import Connection
from cme.sources.http import Answer, HttpReader
from cme.sources.protocol import SourceFailed
from tests.contract.source_web import Web, web_server
from tests.unit.cme.sources.certificates import self_signed


@asynccontextmanager
async def reader(connection: Connection | None = None) -> AsyncIterator[HttpReader]:
    http = HttpReader(connection)
    try:
        yield http
    finally:
        await http.close()


async def get(http: HttpReader, url: str, timeout_s: float = 5.0) -> Answer:
    return await http.read("GET", url, 1000, timeout_s)


async def problem(http: HttpReader, url: str, timeout_s: float = 5.0) -> str:
    """The text of its failure, which is the same the second time."""
    texts = []
    for _ in range(2):
        with pytest.raises(SourceFailed) as caught:
            await get(http, url, timeout_s)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    return texts[0]


def authorization(web: Web) -> list[bytes]:
    lines = web.asked[-1].split(b"\r\n")
    return [line for line in lines if line.lower().startswith(b"authorization")]


async def test_an_answer_of_exactly_the_limit_is_read() -> None:
    async with web_server() as web, reader() as http:
        web.answers(b"x" * 1000, "a/b", 418)
        assert await get(http, web.url) == (418, "a/b", b"x" * 1000)
        web.answers(b"x" * 1001)
        assert await problem(http, web.url) == f"{web.url}: the answer is larger than 1000 bytes"


async def test_a_server_that_is_silent_fails_in_time_and_by_name() -> None:
    async with web_server() as web, reader() as http:
        web.silent = True
        assert await problem(http, web.url, 0.05) == f"{web.url}: no answer within 0.05 s"
        web.answers(b"again")
        assert (await get(http, web.url)).body == b"again"


async def test_a_closed_port_is_named() -> None:
    async with web_server() as web:
        url = web.url
    async with reader() as http:
        assert await problem(http, url) == f"{url}: can't connect: Connection refused"


@pytest.mark.parametrize(
    "url",
    ["http://:80:90/x", "http://127.0.0.1:99999/", "http://" + "a" * 300, "http://\u2100/", "http://[::1/"],
)
async def test_an_address_that_can_not_be(url: str) -> None:
    async with reader() as http:
        assert url in await problem(http, url)


async def test_a_certificate_needs_a_ca_that_vouches_for_it(tmp_path: Path) -> None:
    context, ca = self_signed(tmp_path)
    async with web_server(context) as web:
        web.answers(b"secret")
        async with reader(Connection(address=web.url, ca_file=ca)) as http:
            assert (await get(http, web.url)).body == b"secret"
        async with reader() as http:
            assert "certificate verify failed" in await problem(http, web.url)


async def test_a_ca_file_that_is_missing_or_none_is_told() -> None:
    for path in (Path("/nowhere/ca.pem"), Path("/dev/null")):
        async with reader(Connection(address="https://127.0.0.1:1", ca_file=path)) as http:
            assert str(path) in await problem(http, "https://127.0.0.1:1")


async def test_a_token_is_read_anew_each_time(tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with web_server() as web, reader(Connection(address=web.url, token_file=token)) as http:
        token.write_text("first\n")
        await get(http, web.url)
        assert authorization(web) == [b"Authorization: Bearer first"]
        token.write_text("second")
        await get(http, f"{web.url}/metrics")
        assert authorization(web) == [b"Authorization: Bearer second"]


async def test_a_token_goes_to_the_connections_address_only(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    async with web_server() as ours, web_server() as also_ours, web_server() as theirs:
        address = f"{ours.url}/prefix, {also_ours.url}"
        async with reader(Connection(address=address, token_file=tmp_path / "token")) as http:
            await get(http, also_ours.url)
            assert authorization(also_ours) == [b"Authorization: Bearer secret"]
            assert "the connection's token is only for" in await problem(http, theirs.url)
            assert theirs.asked == []
            ours.status, ours.headers = 302, f"Location: {theirs.url}/\r\n"
            await get(http, ours.url)
            assert authorization(theirs) == []


async def test_without_a_token_no_header_is_sent() -> None:
    async with web_server() as web, reader(Connection(address="http://elsewhere")) as http:
        await get(http, web.url)
        assert authorization(web) == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"two\r\nlines: of it"])
async def test_a_token_file_that_holds_none_is_told(content: bytes | None, tmp_path: Path) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    async with web_server() as web, reader(Connection(address=web.url, token_file=token)) as http:
        assert web.url in await problem(http, web.url)
        assert web.asked == []
