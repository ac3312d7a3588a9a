"""Opening the SQLite file, and telling apart what its errors mean: damage, or something a person can mend.

Sources: https://sqlite.org/fileformat2.html (the header), https://sqlite.org/rescode.html (the errors).
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from cme.log.protocol import LogFailed
from cme.log.statements import APPLICATION_ID, FORMAT, PAGE_BYTES, SCHEMA, Malformed, create

FILE = "log.sqlite"
BUSY_SECONDS = 10
WAL_KEPT_BYTES = 64 << 20
"""A WAL that one huge append let grow beyond this is cut down at the next checkpoint."""

_REMEDIES = {
    "SQLITE_FULL": "free space on its disk",
    "SQLITE_READONLY": "make the file, its folder and its disk writable",
    "SQLITE_CANTOPEN": "make the file and its folder readable and writable for this user",
    "SQLITE_PERM": "make the file and its folder readable and writable for this user",
    "SQLITE_BUSY": "stop the other program that holds it",
    "SQLITE_LOCKED": "stop the other program that holds it",
    "SQLITE_IOERR": "check its disk",
    "SQLITE_NOMEM": "give this process more memory",
    "SQLITE_TOOBIG": "write smaller batches",
}
# Offset -> bytes that never change in a file of ours; see FORMAT.md.
_CONSTANT = {
    0: b"SQLite format 3\0",
    16: PAGE_BYTES.to_bytes(2, "big") + bytes([2, 2, 0, 64, 32, 32]),
    44: bytes([0, 0, 0, 4]),
    56: bytes([0, 0, 0, 1]),
    64: bytes([0, 0, 0, 1]),
    72: bytes(20),
}


@contextlib.contextmanager
def damage_told() -> Iterator[None]:
    """Turns what says that the file's content is wrong into Malformed; other errors can be mended without a loss."""
    try:
        yield
    except UnicodeDecodeError as error:  # sqlite3 quotes a damaged table in the text of its own error
        raise Malformed("its tables are not those of a log") from error
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.Error as error:
        if _name(error) in _REMEDIES:
            raise
        raise Malformed(str(error)) from error


def failure(path: Path, error: sqlite3.Error | OSError) -> LogFailed:
    """The error as one sentence that names the file and what to do."""
    if isinstance(error, OSError):
        return LogFailed(f"{path}: {error.strerror}; free space, make it writable, or choose another --data")
    remedy = _REMEDIES.get(_name(error), "restore it or choose another --data")
    return LogFailed(f"{path}: {error}; {remedy}")


def build(path: Path) -> sqlite3.Connection:
    """A connection to a new empty log at `path`, written without safety: `seal` it, then rename it."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    db = _connect(path, "rw")
    prepare_empty(db)
    return db


def prepare_empty(db: sqlite3.Connection) -> None:
    """Make the tables in a database that has none yet."""
    for pragma in (f"page_size = {PAGE_BYTES}", "auto_vacuum = INCREMENTAL", "journal_mode = OFF"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("BEGIN")
    create(db)
    db.execute("COMMIT")


def seal(db: sqlite3.Connection, path: Path) -> None:
    """Close a file that `build` began: whole, in WAL mode and on the disk."""
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    fsync(path)


def fsync(path: Path) -> None:
    """Of a folder: its names. Raises OSError."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Raises Malformed, sqlite3.Error; LogFailed for a file that a newer tidecast wrote."""
    db = _connect(path, "rw" if writable else "ro")
    try:
        with damage_told():
            _check_format(db, path)
        if writable:
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
    except BaseException:
        db.close()
        raise
    return db


def header_problem(page: bytes) -> str:
    """What is wrong with the first page of the file; "" if nothing is."""
    for at, expected in _CONSTANT.items():
        if page[at : at + len(expected)] != expected:
            return f"bytes {at} to {at + len(expected) - 1} of its header are wrong"
    return ""


def is_ours(page: bytes) -> bool:
    """Whether the first page names tidecast as the file's owner."""
    return page[68:72] == APPLICATION_ID.to_bytes(4, "big")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    db.text_factory = bytes  # a damaged text must not stop the reading of its neighbors
    db.execute("PRAGMA cell_size_check = ON")
    return db


def _check_format(db: sqlite3.Connection, path: Path) -> None:
    named = db.execute("PRAGMA user_version").fetchone()[0]
    stored = [row[0] for row in db.execute("SELECT value FROM meta WHERE name = 'format'")]
    if stored != [named]:
        raise Malformed(f"it names two formats, {named} and {stored}")
    if named > FORMAT:
        raise LogFailed(f"{path} has format {named}, this version reads {FORMAT}; use a newer tidecast")
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise Malformed("it does not name tidecast as its owner")
    found = db.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
    if sorted(found) != sorted((name.encode(), sql.encode()) for name, sql in SCHEMA.items()):
        raise Malformed("its tables are not those of a log")


def _name(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    return "_".join(name.split("_")[:2])
