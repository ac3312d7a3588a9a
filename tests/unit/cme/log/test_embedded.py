"""What the embedded log adds to the laws: files, modes, and errors a person can mend."""

import contextlib
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cme.core.durations import DAY_MS
from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import LogFailed, LogLocked
from cme.log.statements import MAX_KEY_BYTES
from tests.contract.log_laws import START_MS, batch, numbers, read_all


@contextlib.contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """As a full disk: no file of this process can grow beyond the limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "log"


def test_only_the_owner_may_look_into_the_files(folder: Path) -> None:
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        log.append([batch(1)])
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_second_writer_is_refused(folder: Path) -> None:
    with (
        contextlib.closing(EmbeddedLog.open(folder, writable=True)),
        pytest.raises(LogLocked, match="is being written by process"),
    ):
        EmbeddedLog.open(folder, writable=True)


def test_the_lock_is_free_after_a_failed_opening(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / FILE).write_text("something else\n")
    for _ in range(2):
        with pytest.raises(LogFailed, match="not a log"):
            EmbeddedLog.open(folder, writable=True)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogFailed, match=r"file/log: Not a directory; .*another --data"):
        EmbeddedLog.open(tmp_path / "file" / "log", writable=True)


def test_a_reader_of_nothing_is_told_what_to_start(folder: Path) -> None:
    with pytest.raises(LogFailed, match=r"log\.sqlite does not exist; start the writer"):
        EmbeddedLog.open(folder, writable=False)
    assert not folder.exists()


def test_on_a_full_disk_an_append_fails_whole_and_can_be_repeated(folder: Path) -> None:
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        log.append([batch(1)])
        with file_size_limit(100_000), pytest.raises(LogFailed, match=str(folder)):
            log.append([batch(2), batch(3, rows=9_000)])
        assert numbers(read_all(log, ["samples"])) == [1]
        log.append([batch(2), batch(3, rows=9_000)])
        assert numbers(read_all(log, ["samples"])) == [1, 2, 3]
        assert log.verify() == []
        assert log.damages == []


def test_another_program_that_holds_the_file_is_no_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cme.log.database.BUSY_SECONDS", 0.01)
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        other = sqlite3.connect(folder / FILE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogFailed, match="locked; stop the other program"):
            log.append([batch(1)])
        other.execute("ROLLBACK")
        other.close()
        log.append([batch(1)])
        assert log.damages == []


def test_data_version_changes_with_every_append(folder: Path) -> None:
    with (
        contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log,
        contextlib.closing(EmbeddedLog.open(folder, writable=False)) as reader,
    ):
        seen = [reader.data_version(), reader.data_version()]
        for i in range(2):
            log.append([batch(i)])
            seen.append(reader.data_version())
        assert seen[0] == seen[1]
        assert len(set(seen)) == 3


def test_retention_gives_space_back(folder: Path) -> None:
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        log.append([batch(i, rows=500) for i in range(200)])
    before = (folder / FILE).stat().st_size
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        assert log.retain(START_MS + DAY_MS) == 199
        assert log.verify() == []
    assert (folder / FILE).stat().st_size < before / 10


def test_the_newest_record_outlives_its_retention_so_that_numbers_never_repeat(folder: Path) -> None:
    for expected in (1, 2, 3):
        with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
            log.retain(START_MS + DAY_MS)
            assert log.append([batch(1)]) == {"samples": expected}
            assert log.damages == []


def test_a_reader_cannot_retain(folder: Path) -> None:
    EmbeddedLog.open(folder, writable=True).close()
    with (
        contextlib.closing(EmbeddedLog.open(folder, writable=False)) as reader,
        pytest.raises(LogFailed, match="reading only"),
    ):
        reader.retain(START_MS)


def test_a_key_that_is_too_long_is_refused(folder: Path) -> None:
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        with pytest.raises(ValueError, match="longer than 400 bytes"):
            log.append([batch(1, "series", "k" * (MAX_KEY_BYTES + 1))])
        log.append([batch(1, "series", "k" * MAX_KEY_BYTES)])
