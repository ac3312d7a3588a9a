"""Generated certificates, and the context that a server takes them into."""

import asyncio
import contextlib
import ssl
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.api import tls
from cme.core.errors import InvalidInput
from cme.core.settings import Certificate, Settings
from tests.unit.adapter.api.authority import Authority


def now() -> datetime:
    return datetime.now(UTC)


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


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
async def test_its_ca_verifies_a_generated_certificate_for_this_machine(name: str, tmp_path: Path) -> None:
    made = tls.generated(tmp_path / "tls", now())
    trusting = ssl.create_default_context(cafile=tmp_path / "tls" / tls.CA_FILE)
    async with serving(tls.server_context(made, "")) as port:
        assert await greeting(port, trusting, name) == b"hello\n"


async def test_a_generated_certificate_speaks_for_no_other_name(tmp_path: Path) -> None:
    made = tls.generated(tmp_path, now())
    trusting = ssl.create_default_context(cafile=tmp_path / tls.CA_FILE)
    async with serving(tls.server_context(made, "")) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await greeting(port, trusting, "example.com")


async def test_a_ca_of_another_machine_verifies_nothing(tmp_path: Path) -> None:
    made = tls.generated(tmp_path / "a", now())
    tls.generated(tmp_path / "b", now())
    other = ssl.create_default_context(cafile=tmp_path / "b" / tls.CA_FILE)
    async with serving(tls.server_context(made, "")) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await greeting(port, other, "localhost")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_only_the_owner_may_read_the_key(tmp_path: Path) -> None:
    for days in (0, 360):
        made = tls.generated(tmp_path, now() + timedelta(days=days))
        assert stat.S_IMODE(made.key_file.stat().st_mode) == 0o600
        assert sorted(contents(tmp_path)) == ["ca.crt", "server.crt", "server.key"]


def test_a_certificate_is_kept_while_it_lasts(tmp_path: Path) -> None:
    tls.generated(tmp_path, now())
    first = contents(tmp_path)
    tls.generated(tmp_path, now() + tls.LIFETIME - tls.RENEWED_BEFORE - timedelta(hours=1))
    assert contents(tmp_path) == first


def test_a_certificate_is_renewed_before_it_is_over(tmp_path: Path) -> None:
    tls.generated(tmp_path, now())
    first = contents(tmp_path)
    tls.generated(tmp_path, now() + tls.LIFETIME - tls.RENEWED_BEFORE + timedelta(hours=1))
    assert all(first[name] != content for name, content in contents(tmp_path).items())


@pytest.mark.parametrize("name", ["ca.crt", "server.crt", "server.key"])
async def test_a_file_that_is_missing_is_made_anew_with_the_others(name: str, tmp_path: Path) -> None:
    tls.generated(tmp_path, now())
    (tmp_path / name).unlink()
    made = tls.generated(tmp_path, now())
    trusting = ssl.create_default_context(cafile=tmp_path / tls.CA_FILE)
    async with serving(tls.server_context(made, "")) as port:
        assert await greeting(port, trusting, "localhost") == b"hello\n"


def test_a_certificate_that_is_none_is_made_anew(tmp_path: Path) -> None:
    tls.generated(tmp_path, now()).cert_file.write_text("nonsense")
    tls.server_context(tls.generated(tmp_path, now()), "")


@pytest.mark.parametrize("damage", ["missing", "nonsense", "swapped"])
def test_a_certificate_that_cannot_be_loaded_names_its_files(damage: str, tmp_path: Path) -> None:
    one, other = tls.generated(tmp_path / "one", now()), tls.generated(tmp_path / "other", now())
    key = {"missing": tmp_path / "gone", "nonsense": tmp_path / "text", "swapped": other.key_file}[damage]
    (tmp_path / "text").write_text("nonsense")
    with pytest.raises(InvalidInput, match=r"one/server\.crt with key .*give a PEM certificate"):
        tls.server_context(Certificate(cert_file=one.cert_file, key_file=key), "")


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path) -> None:
    context = tls.server_context(tls.generated(tmp_path, now()), "")
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE


def test_a_front_proxy_makes_it_ask_for_a_certificate_but_not_insist(tmp_path: Path) -> None:
    """A kubelet that asks for /healthz has none."""
    context = tls.server_context(tls.generated(tmp_path, now()), Authority().pem)
    assert context.verify_mode == ssl.CERT_OPTIONAL


def test_the_folder_is_beside_the_log(tmp_path: Path) -> None:
    assert tls.tls_folder(Settings(data=tmp_path)) == tmp_path / "tls"
