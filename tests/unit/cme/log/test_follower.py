"""What the laws of the log do not say of one that is followed: who may, what is lost, and what comes back."""

import asyncio
import json
import shutil
import socket
import sqlite3
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from adapter.api.tls import ServerTls
from cme.core.batch import Batch, series_ids
from cme.core.settings import LogLink
from cme.log import follower, server
from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from cme.log.follower import FollowedLog
from cme.log.protocol import LogFailed, LogReplaced
from cme.log.record import RecordDamaged, encode
from cme.log.wire import unpack
from tests.contract.followed_log import LogServer, link
from tests.contract.log_laws import START_MS, batch, numbers, read_all
from tests.contract.source_web import web_server
from tests.unit.adapter.api.authority import Authority


class Site:
    """A log with its writer, its server, and what a follower needs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        self.authority = Authority("log")
        self.writer = EmbeddedLog.open(self.log, writable=True)
        self.tls = ServerTls(link(folder, self.authority, "127.0.0.1:0", "server"), self.authority.pem, True)
        self.server = LogServer(self.log, self.tls)
        self.link = link(folder, self.authority, self.server.address, "client")

    @property
    def port(self) -> int:
        return int(self.server.address.rpartition(":")[2])

    def restart(self) -> None:
        self.server.close()
        self.server = LogServer(self.log, self.tls, self.port)

    def replace(self) -> None:
        """By an empty log in the same folder."""
        self.server.close()
        self.writer.close()
        shutil.rmtree(self.log)
        self.writer = EmbeddedLog.open(self.log, writable=True)
        self.server = LogServer(self.log, self.tls, self.port)

    def close(self) -> None:
        self.server.close()
        self.writer.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path)) as site:
        yield site


@pytest.fixture
def log(site: Site) -> Iterator[FollowedLog]:
    with closing(FollowedLog(site.link)) as log:
        yield log


def raw(site: Site, path: str, context: ssl.SSLContext) -> bytes:
    """What is answered to a GET by hand."""
    with urllib.request.urlopen(
        f"https://{site.server.address}{path}", timeout=10, context=context
    ) as answer:
        return bytes(answer.read())


def test_who_has_no_certificate_gets_nothing(site: Site) -> None:
    context = ssl.create_default_context(cafile=site.link.ca_file)
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the connection ends in one of several ways
        raw(site, "/v1/end?seen=-1&wait_ms=0", context)
    assert not isinstance(caught.value, urllib.error.HTTPError)
    context.load_cert_chain(site.link.cert_file, site.link.key_file)
    assert b'"end":0' in raw(site, "/v1/end?seen=-1&wait_ms=0", context)


def test_who_has_one_of_another_authority_gets_nothing(site: Site, tmp_path: Path) -> None:
    stranger = link(tmp_path, Authority("log"), site.server.address, "stranger")
    stranger = stranger.model_copy(update={"ca_file": site.link.ca_file})
    with closing(FollowedLog(stranger)) as log, pytest.raises(LogFailed, match="can't be reached"):
        log.newest("series")


def test_a_server_of_another_authority_is_not_believed(site: Site, tmp_path: Path) -> None:
    stranger = link(tmp_path, Authority("log"), site.server.address, "stranger")
    trusting = site.link.model_copy(update={"ca_file": stranger.ca_file})
    with closing(FollowedLog(trusting)) as log, pytest.raises(LogFailed, match="certificate verify failed"):
        log.newest("series")


def test_files_that_change_are_loaded_on_both_sides(site: Site, log: FollowedLog) -> None:
    site.writer.append([batch(1, "series", "a")])
    assert numbers(log.newest("series")) == [1]
    other = Authority("another")
    for name in ("server", "client"):
        link(site.folder, other, site.server.address, name)
    with pytest.raises(LogFailed, match="can't be reached"):
        log.newest("series")
    site.tls.refresh(other.pem)
    assert numbers(log.newest("series")) == [1]


def test_an_authority_that_is_withdrawn_is_believed_no_more(site: Site, tmp_path: Path) -> None:
    other = Authority("another")
    stranger = site.link.model_copy(
        update={"ca_file": link(tmp_path, other, "127.0.0.1:0", "server").ca_file}
    )
    site.tls.refresh(other.pem)
    with closing(FollowedLog(stranger)) as log, pytest.raises(LogFailed, match="can't be reached"):
        log.newest("series")
    link(tmp_path, other, "127.0.0.1:0", "client")
    with closing(FollowedLog(stranger)) as log:
        assert list(log.newest("series")) == []


def test_no_session_outlives_the_authority_of_its_certificate(site: Site) -> None:
    context = ssl.create_default_context(cafile=site.link.ca_file)
    context.load_cert_chain(site.link.cert_file, site.link.key_file)
    answer, session = answered(site, context)
    assert answer == b"HTTP/1.1 200"
    site.tls.refresh(Authority("another").pem)
    assert answered(site, context, session)[0] == b""


def answered(
    site: Site, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[bytes, ssl.SSLSession | None]:
    """How the answer begins on a connection that resumes a session, and the session to resume next."""
    with (
        socket.create_connection(("127.0.0.1", site.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as connection,
    ):
        try:
            connection.sendall(b"GET /v1/end?seen=-1&wait_ms=0 HTTP/1.1\r\nHost: log\r\n\r\n")
            return connection.recv(4096)[:12], connection.session
        except OSError:  # the connection ends in one of several ways
            return b"", None


def test_files_that_are_not_there_are_named_and_looked_for_again(site: Site) -> None:
    kept = site.link.key_file.read_bytes()
    site.link.key_file.unlink()
    with closing(FollowedLog(site.link)) as log:
        with pytest.raises(LogFailed, match=r"client\.key: can't be loaded \(No such file"):
            log.newest("series")
        site.link.key_file.write_bytes(kept)
        assert list(log.newest("series")) == []


def test_it_goes_on_when_the_server_comes_back(site: Site, log: FollowedLog) -> None:
    site.writer.append([batch(1), batch(2)])
    position = log.read(["samples"], {}).position
    site.server.close()
    for _ in range(2):
        with pytest.raises(LogFailed, match="can't be reached"):
            log.read(["samples"], position)
    site.writer.append([batch(3)])
    site.restart()
    assert numbers(read_all(log, ["samples"], position)) == [3]


def test_it_may_be_there_before_the_server(site: Site) -> None:
    site.server.close()
    with closing(FollowedLog(site.link)) as log:
        with pytest.raises(LogFailed, match="can't be reached"):
            log.wait(-1)
        site.restart()
        assert log.wait(-1) == 0


def test_another_log_in_its_place_is_never_read_on(site: Site, log: FollowedLog) -> None:
    site.writer.append([batch(1)])
    position = log.read(["samples"], {}).position
    site.replace()
    site.writer.append([batch(i) for i in range(10)])
    for call in (
        lambda: log.read(["samples"], position),
        lambda: log.newest("series"),
        lambda: log.newest_at("replicas", "a", START_MS),
        lambda: log.position_at(["samples"], START_MS),
        lambda: log.wait(1),
    ):
        with pytest.raises(LogReplaced, match="another one than before"):
            call()
    with closing(FollowedLog(site.link)) as anew:
        assert len(read_all(anew, ["samples"])) == 10


def test_a_log_that_ends_before_the_position_has_been_replaced(site: Site, log: FollowedLog) -> None:
    position = site.writer.append([batch(1)])
    assert not log.read(["samples"], position).batches
    with pytest.raises(LogReplaced):
        log.read(["samples"], {"samples": position["samples"] + 1})
    with pytest.raises(LogReplaced):
        log.read(["samples"], position)


def test_a_wait_ends_with_what_is_appended(site: Site, log: FollowedLog) -> None:
    seen, ends = log.wait(-1), list[int]()
    waiting = threading.Thread(target=lambda: ends.append(log.wait(seen)))
    waiting.start()
    site.writer.append([batch(1)])
    waiting.join(follower.WAIT_MS / 1000)
    assert ends == [seen + 1]


def test_a_wait_without_news_ends_with_the_same_number(
    log: FollowedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "WAIT_MS", 1)
    assert log.wait(0) == log.wait(0) == 0


def test_closing_ends_a_wait(site: Site) -> None:
    log, errors = FollowedLog(site.link), list[LogFailed]()
    assert log.wait(-1) == 0

    def wait() -> None:
        try:
            while True:
                log.wait(0)
        except LogFailed as error:
            errors.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    log.close()
    waiting.join(follower.WAIT_MS / 1000)
    assert [str(error) for error in errors] == [f"the log at {site.link.address} is closed"]


def test_an_answer_is_bounded_and_nothing_is_lost(site: Site, log: FollowedLog) -> None:
    rows = 50_000
    for number in range(60):
        value = {"value": np.full(rows, number, dtype=np.float64)}
        site.writer.append([Batch("minutes", START_MS, series_ids(range(rows)), value, epoch=number)])
    chunk = log.read(["minutes"], {})
    size = sum(len(encode(each)) for each in chunk.batches)
    assert (
        server.MAX_ANSWER_BYTES < size < server.MAX_ANSWER_BYTES + server.STEP * len(encode(chunk.batches[0]))
    )
    assert numbers(read_all(log, ["minutes"])) == list(range(60))


def test_what_is_damaged_there_is_told_here(site: Site, log: FollowedLog) -> None:
    site.writer.append([batch(1), batch(2), batch(3)])
    with closing(sqlite3.connect(site.log / FILE)) as db, db:
        db.execute("UPDATE records SET body = substr(body, 1, 60) WHERE seq = 2")
    chunk = log.read(["samples"], {})
    assert numbers(chunk.batches) == [1, 3]
    (damage,) = chunk.damages
    assert damage.where == f"{site.log / FILE}, record 2"
    assert "CRC" in damage.problem


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("read?position=nonsense&limit=1", "position: Invalid JSON"),
        ('read?position={"samples":-1}&limit=1', "position: "),
        ('read?position={"smaples":1}&limit=1', "no topic 'smaples'"),
        ('read?position={"samples":1}&limit=0', "limit: "),
        ('read?position={"samples":1}', "limit: Field required"),
        ('position_at?topics=["samples"]&time_ms=99999999999999999999', "time_ms: "),
        ("newest?topic=x", "no topic 'x'"),
        ("end?seen=1&wait_ms=99999999", "wait_ms: "),
    ],
)
def test_a_question_that_is_none_is_refused_with_its_fault(site: Site, query: str, told: str) -> None:
    context = ssl.create_default_context(cafile=site.link.ca_file)
    context.load_cert_chain(site.link.cert_file, site.link.key_file)
    with pytest.raises(urllib.error.HTTPError) as caught:
        raw(site, f"/v1/{quote(query, safe='/?=&')}", context)
    with caught.value as error:
        assert error.code == 400
        assert told in error.read().decode()


def test_a_log_that_fails_there_fails_here_with_its_own_words(site: Site, log: FollowedLog) -> None:
    (site.log / "identity").unlink()
    with pytest.raises(LogFailed, match=r"answered 503: .*identity: No such file"):
        log.newest("series")


def head(**changed: object) -> bytes:
    """The first line of an answer; parts of it as a test wants them."""
    line = {"log": "0" * 32, "end": 9, "position": {}, "damages": []} | changed
    return json.dumps(line).encode() + b"\n"


@asynccontextmanager
async def followed(site: Site, body: bytes, silent: bool = False) -> AsyncIterator[FollowedLog]:
    """A follower of another server at its address, which the authority has certified."""
    async with web_server(site.tls.context) as web:
        web.answers(body)
        web.silent = silent
        there = site.link.model_copy(update={"address": f"127.0.0.1:{web.port}"})
        with closing(FollowedLog(there)) as log:
            yield log


async def misled(
    site: Site,
    body: bytes,
    silent: bool = False,
    ask: Callable[[FollowedLog], object] = lambda log: log.newest("series"),
) -> str:
    """What a follower says of such a server."""
    async with followed(site, body, silent) as log:
        with pytest.raises(LogFailed) as caught:
            await asyncio.to_thread(ask, log)
    return str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}\n",
        b"[1]\n",
        b"1",
        head(log=""),
        head(log="x" * 32),
        head(log=None),
        head(end="1"),
        head(end=-1),
        head(end=2**63),
        head(position=[1]),
        head(position={"series": 1.5}),
        head(damages=["a"]),
        head() + b"TCR1",
        head() + b"x" * 60,
    ],
)
async def test_an_answer_that_is_none_of_a_log_is_refused(site: Site, body: bytes) -> None:
    assert "answered with something else" in await misled(site, body)


@pytest.mark.parametrize(
    ("position", "records"),
    [
        ({"samples": 4}, b""),
        ({}, b""),
        ({"minutes": 9}, b""),
        ({"samples": 9, "minutes": 9}, b""),
        ({"samples": 5}, encode(batch(1))),
    ],
)
async def test_an_answer_that_does_not_lead_on_is_refused(
    site: Site, position: dict[str, int], records: bytes
) -> None:
    def ask(log: FollowedLog) -> None:
        log.read(["samples"], {"samples": 5})

    told = await misled(site, head(position=position) + records, ask=ask)
    assert "a position that does not follow" in told


async def test_what_a_newer_server_says_more_is_left_out(site: Site) -> None:
    async with followed(site, head(of_tomorrow=1)) as log:
        assert await asyncio.to_thread(log.newest, "series") == []


async def test_why_it_can_not_be_reached_is_said_without_what_changes(site: Site, log: FollowedLog) -> None:
    site.server.close()
    with pytest.raises(LogFailed) as caught:
        log.newest("series")
    assert "Connect call failed" in str(caught.value)
    assert "object at 0x" not in str(caught.value)


async def test_an_answer_that_does_not_come_ends_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "ANSWER_SECONDS", 0.2)
    assert "did not answer in time" in await misled(site, b"", silent=True)


async def test_an_answer_that_is_too_large_is_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "MAX_BYTES", 1_000)
    assert "more than 1000 bytes" in await misled(site, b"x" * 2_000)


def test_a_record_that_was_cut_off_is_never_a_shorter_one() -> None:
    begin, record = head(), encode(batch(1))
    assert numbers(unpack(begin + record + record)[1]) == [1, 1]
    for left in range(1, len(record)):
        with pytest.raises(RecordDamaged):
            unpack(begin + record + record[:left])


def test_an_address_is_host_and_port(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        LogLink(address="https://x", cert_file=tmp_path, key_file=tmp_path, ca_file=tmp_path)
