"""The certificate that the program makes for itself."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.api import tls
from adapter.api.own_certificate import (
    CA_FILE,
    LIFETIME,
    RENEWED_BEFORE,
    OwnCertificate,
    names_of,
    tls_folder,
)
from cme.core.settings import Registration, Settings
from tests.unit.adapter.api.test_tls import greeting, serving

DUE = datetime.now(UTC)
"""The real time, for handshakes know no other: what was made at START is now to be renewed."""
START = DUE - LIFETIME + RENEWED_BEFORE
SERVICE = "tidecast.tidecast.svc"
NAMES = names_of(Registration())


def made(folder: Path, now: datetime = START) -> OwnCertificate:
    return OwnCertificate(folder, NAMES, now)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def greets(own: OwnCertificate, authorities: str, name: str) -> bytes:
    """What a client gets that verifies it by these authorities."""
    async with serving(tls.server_context(own.certificate, "")) as port:
        return await greeting(port, ssl.create_default_context(cadata=authorities), name)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", SERVICE])
async def test_its_authority_verifies_it_for_this_machine_and_the_service(name: str, tmp_path: Path) -> None:
    own = made(tmp_path / "tls")
    assert await greets(own, own.authorities, name) == b"hello\n"


async def test_it_speaks_for_no_other_name(tmp_path: Path) -> None:
    own = OwnCertificate(tmp_path, names_of(None), START)
    for name in ("example.com", SERVICE):
        with pytest.raises(ssl.SSLCertVerificationError):
            await greets(own, own.authorities, name)


async def test_an_authority_of_another_machine_verifies_nothing(tmp_path: Path) -> None:
    own, other = made(tmp_path / "a"), made(tmp_path / "b")
    with pytest.raises(ssl.SSLCertVerificationError):
        await greets(own, other.authorities, "localhost")


def test_only_the_owner_may_read_keys(tmp_path: Path) -> None:
    own = made(tmp_path)
    own.step(DUE, known=False)
    keys = {name for name, content in contents(tmp_path).items() if b"PRIVATE KEY" in content}
    assert keys == {"server.pem", "next.pem"}
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600 for name in keys)


def test_it_is_kept_across_restarts_while_it_lasts(tmp_path: Path) -> None:
    made(tmp_path)
    first = contents(tmp_path)
    made(tmp_path, DUE - timedelta(hours=1)).step(DUE - timedelta(hours=1), known=True)
    assert contents(tmp_path) == first


def test_one_that_is_over_is_made_anew_at_the_start(tmp_path: Path) -> None:
    made(tmp_path)
    first = contents(tmp_path)
    made(tmp_path, START + LIFETIME)
    assert all(first[name] != content for name, content in contents(tmp_path).items())


def test_one_without_the_service_s_name_is_made_anew(tmp_path: Path) -> None:
    OwnCertificate(tmp_path, names_of(None), START)
    first = contents(tmp_path)
    made(tmp_path)
    assert contents(tmp_path)["server.pem"] != first["server.pem"]


async def test_the_coming_authority_is_told_before_it_is_used_and_the_last_one_after(tmp_path: Path) -> None:
    own = made(tmp_path)
    first, served = own.authorities, own.certificate.cert_file.read_bytes()
    for _ in range(3):
        own.step(DUE, known=False)
        both = own.authorities
        assert both.startswith(first)
        assert both.count("BEGIN CERTIFICATE") == 2
        assert own.certificate.cert_file.read_bytes() == served
    own.step(DUE, known=True)
    assert own.certificate.cert_file.read_bytes() != served
    assert own.authorities == both
    assert await greets(own, both, SERVICE) == b"hello\n"
    with pytest.raises(ssl.SSLCertVerificationError):
        await greets(own, first, SERVICE)
    own.step(DUE, known=False)
    assert own.authorities == both.removeprefix(first)
    last = contents(tmp_path)
    own.step(DUE, known=True)
    assert contents(tmp_path) == last


def test_a_change_goes_on_after_a_restart(tmp_path: Path) -> None:
    made(tmp_path).step(DUE, known=False)
    before = contents(tmp_path)
    made(tmp_path, DUE).step(DUE, known=True)
    assert contents(tmp_path)["server.pem"] == before["next.pem"]


@pytest.mark.parametrize("torn", ["next.pem", CA_FILE])
async def test_a_change_that_was_cut_off_begins_anew(torn: str, tmp_path: Path) -> None:
    """A power cut between the two files of the first step."""
    own = made(tmp_path)
    first, served = contents(tmp_path), own.authorities
    own.step(DUE, known=False)
    if torn == CA_FILE:
        (tmp_path / CA_FILE).write_bytes(first[CA_FILE])
    else:
        (tmp_path / "next.pem").unlink()
    own.step(DUE, known=True)
    assert own.authorities.startswith(served)
    own.step(DUE, known=True)
    assert await greets(own, own.authorities, SERVICE) == b"hello\n"


@pytest.mark.parametrize("name", [CA_FILE, "server.pem"])
@pytest.mark.parametrize("content", [None, b"nonsense"])
async def test_what_is_missing_or_damaged_is_made_anew(
    name: str, content: bytes | None, tmp_path: Path
) -> None:
    made(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    own = made(tmp_path)
    assert await greets(own, own.authorities, "localhost") == b"hello\n"


def test_the_folder_is_beside_the_log(tmp_path: Path) -> None:
    assert tls_folder(Settings(data=tmp_path)) == tmp_path / "tls"
