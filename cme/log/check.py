"""What is wrong with a log: each part checked by something that does not rest on the part itself."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from cme.core.batch import Batch
from cme.log.database import header_problem
from cme.log.mark import read_mark
from cme.log.protocol import Damage
from cme.log.record import RecordDamaged, decode
from cme.log.statements import PAGE_BYTES, Row, last_seq
from cme.log.topics import TOPICS
from cme.log.wal import read_wal

MARK = "acknowledged"
_LINES = 20  # of SQLite's own report


def as_batch(row: Row, path: Path) -> Batch | Damage:
    """The batch of a row, if all the row says agrees with what its record says."""
    seq, topic, time_ms, key, body = row
    where = f"{path}, record {seq}"
    if not isinstance(body, bytes):
        return Damage(where, "its body is not of bytes")
    try:
        batch = decode(body, seq)
    except RecordDamaged as error:
        return Damage(where, error.problem)
    if (TOPICS[batch.topic].id, batch.time_ms, batch.key.encode()) != (topic, time_ms, key):
        return Damage(where, f"its columns do not fit its content, which is of {batch.topic}")
    return batch


def file_problems(path: Path) -> list[str]:
    """What the bytes of the file's header and of its WAL say, before SQLite has read them. Raises OSError."""
    with path.open("rb") as file:
        problem = header_problem(file.read(PAGE_BYTES))
    return [problem] * bool(problem) + wal_problems(path)


def wal_problems(path: Path) -> list[str]:
    """Damage that SQLite would take for the end of the WAL, dropping acknowledged batches. Raises OSError."""
    wal = path.with_name(path.name + "-wal")
    try:
        problem = read_wal(wal.read_bytes()).problem
    except FileNotFoundError:
        return []
    return [f"in {wal.name}, {problem}"] * bool(problem)


def content_problems(db: sqlite3.Connection, mark: int) -> Iterator[str]:
    """What SQLite's own check and the numbers of the records say. `mark` was read before `db` was.

    Raises sqlite3.Error, for most damage.
    """
    last = last_seq(db)
    newest = db.execute("SELECT max(seq) FROM records NOT INDEXED").fetchone()[0] or 0
    if mark > last:
        yield f"it ends with record {last}, but record {mark} had been acknowledged"
    elif last != max(newest, mark):
        yield f"its newest record is {newest}, but it says that {last} had been given"
    for (line,) in db.execute(f"PRAGMA integrity_check({_LINES})"):
        if line != b"ok":
            yield line.decode(errors="replace").replace("\n", " ")


def mark_in(folder: Path) -> tuple[int, list[Damage]]:
    """The acknowledged number, 0 if it can't be read, and why not."""
    path = folder / MARK
    mark = read_mark(path)
    if mark is None:
        return 0, [Damage(str(path), "its CRC does not fit; it is written anew with the next append")]
    return mark, []
