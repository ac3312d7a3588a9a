"""Replacing a damaged file by a new one that holds all that could be read back; the old one is kept aside.

Each step can be cut off by a kill: `finish` completes or undoes it at the next opening.
"""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from cme.log.database import build, fsync, is_ours, prepare_empty, seal
from cme.log.protocol import LogFailed
from cme.log.salvage import salvage
from cme.log.statements import PAGE_BYTES, compact_all, insert_old, last_seq

_BUILDING = ".building"
_READY = ".ready"


def create(path: Path) -> None:
    """A new, empty log at `path`, whole or not at all. Raises OSError, sqlite3.Error."""
    seal(build(_beside(path, _BUILDING)), _beside(path, _BUILDING))
    _beside(path, _BUILDING).replace(path)
    fsync(path.parent)


def rebuild(path: Path, mark: int) -> tuple[Path, int]:
    """Replace `path`, whose connection is closed; returns where the old file is kept, and the records saved.

    Numbers go on behind `mark`, so that no reader's position lies in the future.
    Raises OSError, sqlite3.Error; LogFailed when the file is no log at all.
    """
    building, ready = _beside(path, _BUILDING), _beside(path, _READY)
    db = build(building)
    try:
        saved = fill(db, path, mark)
        if not saved and not _was_log(path):
            raise LogFailed(f"{path} is not a log of tidecast; choose another --data or move the file away")
        seal(db, building)
    finally:
        db.close()
    building.replace(ready)
    fsync(path.parent)
    return finish(path) or path, saved


def fill(db: sqlite3.Connection, path: Path, mark: int) -> int:
    """Insert every record that can be found in the file at `path`; returns how many."""
    db.execute("BEGIN")
    saved = sum(insert_old(db, found.seq, found.batch, found.body) for found in salvage(path))
    compact_all(db)
    last = max(last_seq(db), mark)
    db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'records'", (last,))
    db.execute("COMMIT")
    return saved


def copy(path: Path, mark: int) -> sqlite3.Connection:
    """What can be read back, in a private database that SQLite removes with the connection."""
    db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    db.text_factory = bytes
    prepare_empty(db)
    if not fill(db, path, mark) and not _was_log(path):
        db.close()
        raise LogFailed(f"{path} is not a log of tidecast; choose another --data")
    return db


def finish(path: Path) -> Path | None:
    """Complete a `rebuild` that was cut off, or drop what it had begun; returns where the old file is kept."""
    _beside(path, _BUILDING).unlink(missing_ok=True)
    ready = _beside(path, _READY)
    if not ready.exists():
        return None
    aside = _beside(path, datetime.now(UTC).strftime(".damaged-%Y%m%dT%H%M%S.%fZ"))
    for suffix in ("", "-wal"):
        old = _beside(path, suffix)
        if old.exists() and old.stat().st_size:
            os.link(old, f"{aside}{suffix}")
    # The old WAL goes before the new file comes: SQLite would replay it onto that.
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    fsync(path.parent)
    ready.replace(path)
    fsync(path.parent)
    return aside


def _was_log(path: Path) -> bool:
    """A missing or empty file holds nothing of somebody else's."""
    if not path.exists() or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        return is_ours(file.read(PAGE_BYTES))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
