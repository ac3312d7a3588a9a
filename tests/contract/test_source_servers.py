"""Servers that misbehave: what reads by HTTP fails with SourceFailed, and within bounds."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from cme.sources import prometheus, scrape
from cme.sources.protocol import SourceFailed
from tests.contract import source_laws as laws
from tests.contract.source_laws import NOW_MS, TIMEOUT_S, fails
from tests.contract.source_web import Web


def say_nothing(web: Web) -> None:
    web.raw = b""


def say_noise(web: Web) -> None:
    web.raw = b"\x00\x01\x02 not HTTP\r\n\r\n"


def stop_early(web: Web) -> None:
    web.raw = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nload 5\n"


def send_broken_gzip(web: Web) -> None:
    web.headers, web.body = "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08 no more"


def send_a_bomb(web: Web) -> None:
    web.headers, web.body = "Content-Encoding: gzip\r\n", gzip.compress(b"#" * 100_000_000, 1)


def send_a_deflated_bomb(web: Web) -> None:
    web.headers, web.body = "Content-Encoding: deflate\r\n", zlib.compress(b"#" * 100_000_000, 1)


def redirect_for_ever(web: Web) -> None:
    web.status, web.headers = 302, f"Location: {web.url}\r\n"


def redirect_nowhere(web: Web) -> None:
    web.status, web.headers = 302, "Location: http://[\r\n"


def redirect_to_a_file(web: Web) -> None:
    web.status, web.headers = 302, "Location: file:///etc/passwd\r\n"


def ask_for_a_password(web: Web) -> None:
    web.status, web.headers = 401, "WWW-Authenticate: Basic\r\n"


@pytest.mark.parametrize(
    "misbehave",
    [
        say_nothing,
        say_noise,
        stop_early,
        send_broken_gzip,
        send_a_bomb,
        send_a_deflated_bomb,
        redirect_for_ever,
        redirect_nowhere,
        redirect_to_a_file,
        ask_for_a_password,
    ],
)
async def test_a_server_that_misbehaves(misbehave: Callable[[Web], None]) -> None:
    async with laws.prometheus() as (source, web):
        misbehave(web)
        await fails(source)
    async with laws.scrape(1) as (source, (web,)):
        misbehave(web)
        await fails(source)


async def test_an_endless_answer_is_read_to_the_limit_only() -> None:
    async with laws.prometheus() as (source, web):
        web.endless = True
        with pytest.raises(SourceFailed, match=f"larger than {prometheus.MAX_BYTES} bytes"):
            await source.read(NOW_MS, TIMEOUT_S)
        assert web.sent < 2 * prometheus.MAX_BYTES
    async with laws.scrape(1) as (source, (web,)):
        web.endless = True
        with pytest.raises(SourceFailed, match=f"larger than {scrape.MAX_BYTES} bytes"):
            await source.read(NOW_MS, TIMEOUT_S)
        assert web.sent < 2 * scrape.MAX_BYTES
