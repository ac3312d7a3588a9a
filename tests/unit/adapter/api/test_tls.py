"""The context that a server takes its certificate into."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter.api import tls
from adapter.api.own_certificate import OwnCertificate, names_of
from cme.core.errors import InvalidInput
from cme.core.settings import Certificate
from tests.unit.adapter.api.authority import Authority


@contextlib.asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[int]:
    """The port of a server that greets."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.write(b"hello\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def greeting(port: int, context: ssl.SSLContext, name: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    try:
        return await reader.readline()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


def generated(folder: Path) -> Certificate:
    return OwnCertificate(folder, names_of(None), datetime.now(UTC)).certificate


@pytest.mark.parametrize("damage", ["missing", "nonsense", "swapped"])
def test_a_certificate_that_cannot_be_loaded_names_its_files(damage: str, tmp_path: Path) -> None:
    one, other = generated(tmp_path / "one"), generated(tmp_path / "other")
    key = {"missing": tmp_path / "gone", "nonsense": tmp_path / "text", "swapped": other.key_file}[damage]
    (tmp_path / "text").write_text("nonsense")
    with pytest.raises(InvalidInput, match=r"one/server\.pem with key .*give a PEM certificate"):
        tls.server_context(Certificate(cert_file=one.cert_file, key_file=key), "")


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path) -> None:
    context = tls.server_context(generated(tmp_path), "")
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE


def test_a_front_proxy_makes_it_ask_for_a_certificate_but_not_insist(tmp_path: Path) -> None:
    """A kubelet that asks for /healthz has none."""
    context = tls.server_context(generated(tmp_path), Authority().pem)
    assert context.verify_mode == ssl.CERT_OPTIONAL
