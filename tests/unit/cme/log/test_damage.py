"""A damaged log is named, mended and gone on with; nothing that can be read is lost."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cme.log.check import MARK
from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from cme.log.mark import encode_mark
from cme.log.protocol import LogFailed
from cme.log.statements import FORMAT, PAGE_BYTES
from tests.contract.log_laws import batch, bytes_of, numbers, read_all

ROWS = 40
BATCHES = [batch(i, rows=ROWS * (1 + i % 4)) for i in range(60)]
WAL = f"{FILE}-wal"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed log of BATCHES: one file without a WAL."""
    folder = tmp_path_factory.mktemp("whole") / "log"
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        log.append(BATCHES)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "log"))


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A log of BATCHES, one by one, as a killed writer leaves it: most of it in the WAL."""
    with contextlib.closing(EmbeddedLog.open(tmp_path / "alive", writable=True)) as log:
        for each in BATCHES:
            log.append([each])
        return Path(shutil.copytree(tmp_path / "alive", tmp_path / "killed"))


def change(path: Path, at: int, data: bytes) -> None:
    """Overwrite bytes; a negative `at` counts from the end."""
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at : at + len(data)] = data
    path.write_bytes(content)


def run_sql(folder: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            db.execute(statement)
        db.commit()


def whole_again(folder: Path, problem: str) -> None:
    """The writer names `problem`, has all batches, and goes on."""
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        assert problem in " ".join(map(str, log.damages))
        assert bytes_of(read_all(log, ["samples"])) == bytes_of(BATCHES)
        log.append([batch(99)])
        assert log.verify() == []
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        assert not log.damages
        assert numbers(read_all(log, ["samples"]))[-1] == 99


def test_an_intact_log_has_no_damage(folder: Path, killed: Path) -> None:
    for each in (folder, killed):
        for writable in (False, True):
            with contextlib.closing(EmbeddedLog.open(each, writable=writable)) as log:
                assert log.verify() == []
                assert log.damages == []


def test_a_flipped_record_is_named_and_skipped(folder: Path) -> None:
    content = (folder / FILE).read_bytes()
    change(folder / FILE, content.index("grün 7 3".encode()), b"G")
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        chunk = log.read(["samples"], {})
        assert numbers(chunk.batches) == [i for i in range(60) if i != 7]
        assert [str(each) for each in chunk.damages] == [f"{folder / FILE}, record 8: its CRC does not fit"]
        assert log.damages == chunk.damages == log.verify()


def test_a_chunk_of_damaged_records_alone_does_not_look_like_the_end(folder: Path) -> None:
    content = (folder / FILE).read_bytes()
    for number in (3, 4):
        change(folder / FILE, content.index(f"grün {number} 3".encode()), b"G")
    with contextlib.closing(EmbeddedLog.open(folder, writable=False)) as log:
        position = log.read(["samples"], {}, limit=3).position
        chunk = log.read(["samples"], position, limit=2)
        assert numbers(chunk.batches) == [5, 6]
        assert len(chunk.damages) == 2


@pytest.mark.parametrize("page", range(2, 30))
def test_a_lost_page_costs_only_what_lay_in_it(folder: Path, page: int) -> None:
    at = (page - 1) * PAGE_BYTES
    touched = (folder / FILE).read_bytes()[at : at + PAGE_BYTES].count(b"TCR1") + 1
    change(folder / FILE, at, bytes(PAGE_BYTES))
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        chunk = log.read(["samples"], {})
        assert len(chunk.batches) >= len(BATCHES) - touched
        assert log.damages
        position = log.append([batch(99)])
        assert position["samples"] > len(BATCHES)
        assert numbers(log.read(["samples"], {}).batches)[-1] == 99


@pytest.mark.parametrize("at", [0, 16, 18, 19, 20, 21, 47, 59, 60, 63, 64, 68, 75, 100, 101, 105])
def test_a_damaged_header_costs_nothing(folder: Path, at: int) -> None:
    change(folder / FILE, at, b"\x7e")
    whole_again(folder, "read back")


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DROP INDEX by_topic", "its tables"),
        (
            "UPDATE sqlite_schema SET sql = replace(sql, 'time_ms', 'time_mz') WHERE name = 'by_time'",
            "no such",
        ),
        ("UPDATE sqlite_sequence SET seq = 9", "ends with record 9"),
        ("UPDATE sqlite_sequence SET seq = 999", "newest record is 60"),
        ("UPDATE meta SET value = 9", "two formats"),
        ("DELETE FROM meta", "two formats"),
        ("DELETE FROM sqlite_sequence", "which number"),
        ("UPDATE sqlite_sequence SET seq = 'x'", "which number"),
        ("PRAGMA user_version = 9", "two formats"),
        ("PRAGMA application_id = 9", "tidecast"),
    ],
)
def test_what_sqlite_would_not_notice_is_noticed(folder: Path, sql: str, problem: str) -> None:
    run_sql(folder, sql)
    whole_again(folder, problem)


def test_a_missing_file_is_told_from_a_new_log(folder: Path) -> None:
    (folder / FILE).unlink()
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        assert "missing or empty" in str(log.damages[0])
        assert log.append([batch(1)]) == {"samples": len(BATCHES) + 1}


def test_a_lost_wal_is_noticed(killed: Path) -> None:
    (killed / WAL).unlink()
    with contextlib.closing(EmbeddedLog.open(killed, writable=True)) as log:
        assert "record 60 had been acknowledged" in str(log.damages[0])


@pytest.mark.parametrize("at", [3, 20, 28, -PAGE_BYTES - 8, -PAGE_BYTES - 12, -PAGE_BYTES - 18])
def test_a_flip_in_the_wal_beside_the_records_costs_nothing(killed: Path, at: int) -> None:
    """The header of the WAL; of its last frame checksum, salt and commit size."""
    last = (killed / WAL).read_bytes()[at]
    change(killed / WAL, at, bytes([last ^ 0x40]))
    with contextlib.closing(EmbeddedLog.open(killed, writable=False)) as log:
        assert log.verify()
    whole_again(killed, "read back")


def test_superseded_batches_do_not_come_back_with_a_repair(tmp_path: Path) -> None:
    with contextlib.closing(EmbeddedLog.open(tmp_path / "alive", writable=True)) as log:
        for i in range(20):
            log.append([batch(i, "series", f"key-{i % 3}")])
        killed = Path(shutil.copytree(tmp_path / "alive", tmp_path / "killed"))
    change(killed / WAL, 20, b"\x7e\x7e")
    with contextlib.closing(EmbeddedLog.open(killed, writable=True)) as log:
        assert log.damages
        assert numbers(read_all(log, ["series"])) == numbers(log.newest("series")) == [17, 18, 19]


def test_an_index_that_names_a_row_twice_hides_no_other(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'by_topic'").fetchone()[0]
    cells = (root - 1) * PAGE_BYTES + 8  # behind the header of a leaf page: two bytes per cell
    content = (folder / FILE).read_bytes()
    assert content[cells - 8] == 10, "the index is not one leaf page"
    change(folder / FILE, cells + 2, content[cells : cells + 2])
    with contextlib.closing(EmbeddedLog.open(folder, writable=False)) as log:
        assert bytes_of(read_all(log, ["samples"])) == bytes_of(BATCHES)
        assert "comes after record" in str(log.damages)


def test_a_damaged_mark_is_named_and_written_anew(folder: Path) -> None:
    change(folder / MARK, 5, b"\xff")
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        assert [each.where for each in log.damages] == [str(folder / MARK)]
    assert (folder / MARK).read_bytes() == encode_mark(len(BATCHES))


def test_the_damaged_file_is_kept(folder: Path) -> None:
    change(folder / FILE, PAGE_BYTES, bytes(PAGE_BYTES))
    damaged = (folder / FILE).read_bytes()
    EmbeddedLog.open(folder, writable=True).close()
    kept = [path for path in folder.iterdir() if ".damaged-" in path.name]
    assert [path.read_bytes() for path in kept] == [damaged]
    assert not list(folder.glob("*.building")) + list(folder.glob("*.ready"))


def test_damage_met_while_running_is_mended_at_once(folder: Path) -> None:
    with (
        contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log,
        contextlib.closing(EmbeddedLog.open(folder, writable=False)) as reader,
    ):
        run_sql(folder, "UPDATE sqlite_sequence SET seq = 9")
        log.append([batch(99)])
        assert len(log.damages) == 1
        assert numbers(read_all(log, ["samples"])) == [*range(60), 99]
        assert numbers(read_all(reader, ["samples"])) == [*range(60), 99]


def test_a_reader_of_a_damaged_file_reads_what_is_whole_and_sees_the_repair(folder: Path) -> None:
    change(folder / FILE, 0, bytes(8))
    with contextlib.closing(EmbeddedLog.open(folder, writable=False)) as reader:
        assert bytes_of(read_all(reader, ["samples"])) == bytes_of(BATCHES)
        assert reader.damages
        assert reader.verify()
        before = reader.data_version()
        EmbeddedLog.open(folder, writable=True).close()
        assert reader.data_version() != before
        assert bytes_of(read_all(reader, ["samples"])) == bytes_of(BATCHES)
        assert reader.verify() == []


@pytest.mark.parametrize("step", ["link", "unlink", "replace", "fsync"])
def test_a_repair_that_is_cut_off_is_finished_later(
    folder: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(folder / FILE, PAGE_BYTES, bytes(PAGE_BYTES))

    def cut_off(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    places: dict[str, str] = {
        "link": "os.link",
        "unlink": "pathlib.Path.unlink",
        "replace": "pathlib.Path.replace",
    }
    with monkeypatch.context() as patch:
        patch.setattr(places.get(step, "cme.log.rebuild.fsync"), cut_off)
        with pytest.raises(KeyboardInterrupt):
            EmbeddedLog.open(folder, writable=True)
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        assert bytes_of(read_all(log, ["samples"])) == bytes_of(BATCHES)
        assert log.verify() == []


def newer(folder: Path) -> None:
    run_sql(folder, f"UPDATE meta SET value = {FORMAT + 1}", f"PRAGMA user_version = {FORMAT + 1}")


def foreign_text(folder: Path) -> None:
    (folder / FILE).write_text("something else\n" * 1_000)


def foreign_database(folder: Path) -> None:
    (folder / FILE).unlink()
    run_sql(folder, "CREATE TABLE other(x)")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [(newer, "format 2.*newer tidecast"), (foreign_text, "not a log"), (foreign_database, "not a log")],
)
@pytest.mark.parametrize("writable", [True, False])
def test_what_is_not_ours_to_mend_is_left_alone(
    folder: Path, spoil: Callable[[Path], None], problem: str, writable: bool
) -> None:
    spoil(folder)
    before = (folder / FILE).read_bytes()
    with pytest.raises(LogFailed, match=problem):
        EmbeddedLog.open(folder, writable=writable)
    assert (folder / FILE).read_bytes() == before
