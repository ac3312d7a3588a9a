"""The log in one SQLite file: no server, one writer, any number of readers on the same machine.

WAL with synchronous=FULL: what `append` returned for survives a kill and a loss of power
(https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous).
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cme.core.batch import Batch
from cme.log.filesystem import refuse_network
from cme.log.lock import WriterLock
from cme.log.protocol import MAX_RECORD_BYTES, Chunk, Damage, LogFailed, Position
from cme.log.record import RecordDamaged, decode, encode, split
from cme.log.topics import NAMES, TOPICS, Topic

FILE = "log.sqlite"
FORMAT = 1
VACUUM_PAGES = 2_000
"""Pages given back per call of `retain`: 8 MB, so that no append waits long."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic INTEGER NOT NULL, time_ms INTEGER NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_topic ON records(topic);
CREATE INDEX IF NOT EXISTS by_time ON records(topic, time_ms);
CREATE INDEX IF NOT EXISTS by_key ON records(topic, key) WHERE key != '';
"""


class EmbeddedLog:
    """Safe to call from several threads; they take turns."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: WriterLock | None) -> None:
        self._folder, self._db, self._lock = folder, connection, lock
        self._turn = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, folder: Path, *, writable: bool) -> "EmbeddedLog":
        """Open the log in `folder`, creating it when `writable`.

        Raises LogLocked when another process writes it, LogFailed when it can't be used.
        """
        if not writable:
            return cls(folder, _connect(folder, writable=False), None)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LogFailed(f"{folder}: {error.strerror}; choose another folder with --data") from None
        refuse_network(folder)
        lock = WriterLock(folder / "writer.lock")
        lock.acquire()
        try:
            return cls(folder, _connect(folder, writable=True), lock)
        except BaseException:
            lock.release()
            raise

    def append(self, batches: Sequence[Batch]) -> Position:
        """See `Log.append`. Raises ValueError for a keyed batch larger than a record: use smaller blocks."""
        if self._lock is None:
            raise LogFailed(f"{self._folder} was opened for reading only")
        position: dict[str, int] = {}
        with self._transaction("write") as db:
            for batch in batches:
                topic = _topic(batch.topic)
                for part in _parts(batch):
                    position[batch.topic] = _insert(db, topic, part)
                if topic.keep_newest and not topic.keep_ms:
                    _compact(db, topic, batch.key)
        return position

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        """See `Log.read`."""
        position = {name: after.get(name, 0) for name in topics}
        with self._transaction("read") as db:
            rows = [
                row for name in topics for row in _rows_behind(db, _topic(name).id, position[name], limit)
            ]
        rows.sort()
        batches: list[Batch] = []
        damages: list[Damage] = []
        for seq, topic, time_ms, key, body in rows[:limit]:
            position[NAMES[topic]] = seq
            batch = self._decode(seq, topic, time_ms, key, body)
            if isinstance(batch, Damage):
                damages.append(batch)
            else:
                batches.append(batch)
        return Chunk(batches, position, damages)

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        """See `Log.position_at`."""
        with self._transaction("read") as db:
            return {name: _seq_before(db, _topic(name).id, time_ms) for name in topics}

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        """See `Log.newest`."""
        only, values = ("", ()) if key is None else (" AND key = ?", (key,))
        query = f"SELECT max(seq), topic, time_ms, key, body FROM records WHERE topic = ?{only} GROUP BY key ORDER BY 1"
        with self._transaction("read") as db:
            rows = db.execute(query, (_topic(topic).id, *values)).fetchall()
        found = [self._decode(*row) for row in rows]
        return [batch for batch in found if isinstance(batch, Batch)]

    def retain(self, now_ms: int) -> int:
        """See `Log.retain`."""
        removed = 0
        with self._transaction("write") as db:
            for topic in TOPICS.values():
                removed += _expire(db, topic, now_ms - topic.keep_ms)
        with self._transaction("vacuum") as db:
            db.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
        return removed

    def data_version(self) -> int:
        """Changes whenever another connection has written: a cheap question before a read."""
        with self._transaction("read") as db:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """See `Log.close`."""
        with self._turn:
            if not self._closed:
                self._closed = True
                self._db.close()
                if self._lock:
                    self._lock.release()

    def _decode(self, seq: int, topic: int, time_ms: int, key: str, body: bytes) -> Batch | Damage:
        where = f"{self._folder / FILE}, record {seq} of {NAMES.get(topic, topic)}"
        try:
            batch = decode(body, seq)
        except RecordDamaged as error:
            return Damage(where, str(error))
        if (TOPICS[batch.topic].id, batch.time_ms, batch.key) != (topic, time_ms, key):
            return Damage(where, "its columns do not fit its content")
        return batch

    @contextlib.contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        """One short transaction; SQLite's errors become LogFailed with what to do."""
        with self._turn:
            if self._closed:
                raise LogFailed(f"{self._folder} is closed")
            try:
                if kind == "write":
                    self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                if self._db.in_transaction:
                    self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise LogFailed(f"{self._folder / FILE}: {error}; free space or repair the disk") from error
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")


def _connect(folder: Path, *, writable: bool) -> sqlite3.Connection:
    path = folder / FILE
    if not writable and not path.exists():
        raise LogFailed(f"{path} does not exist; start the writer first or correct --data")
    mode = "rwc" if writable else "ro"
    try:
        if writable:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
        )
        if writable:
            _prepare(db)
        _check_format(db, path)
    except (sqlite3.Error, OSError) as error:
        raise LogFailed(f"{path}: {error}; choose another folder with --data, or restore the file") from error
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")


def _check_format(db: sqlite3.Connection, path: Path) -> None:
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found != FORMAT:
        db.close()
        raise LogFailed(
            f"{path} has format {found}, this version reads {FORMAT}; use a newer tidecast or another --data"
        )


def _topic(name: str) -> Topic:
    if name not in TOPICS:
        raise ValueError(f"there is no topic {name!r}; there are {', '.join(TOPICS)}")
    return TOPICS[name]


def _parts(batch: Batch) -> list[Batch]:
    parts = list(split(batch, MAX_RECORD_BYTES))
    if batch.key and len(parts) > 1:
        raise ValueError(f"{batch.topic} {batch.key!r} is larger than a record; write it in smaller blocks")
    return parts


def _insert(db: sqlite3.Connection, topic: Topic, batch: Batch) -> int:
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
    seq = (last[0] if last else 0) + 1
    row = (seq, topic.id, batch.time_ms, batch.key, encode(batch, seq))
    db.execute("INSERT INTO records(seq, topic, time_ms, key, body) VALUES (?, ?, ?, ?, ?)", row)
    return seq


def _compact(db: sqlite3.Connection, topic: Topic, key: str) -> None:
    kept = "SELECT seq FROM records WHERE topic = ? AND key = ? ORDER BY seq DESC LIMIT ?"
    query = f"DELETE FROM records WHERE topic = ? AND key = ? AND key != '' AND seq NOT IN ({kept})"
    db.execute(query, (topic.id, key, topic.id, key, topic.keep_newest))


def _expire(db: sqlite3.Connection, topic: Topic, before_ms: int) -> int:
    if not topic.keep_ms:
        return 0
    newest = "SELECT max(seq) FROM records WHERE topic = ? AND key != '' GROUP BY key"
    keep = f" AND seq NOT IN ({newest})" if topic.keep_newest else ""
    values: tuple[Any, ...] = (topic.id, before_ms, *([topic.id] if topic.keep_newest else []))
    return db.execute(f"DELETE FROM records WHERE topic = ? AND time_ms < ?{keep}", values).rowcount


def _rows_behind(db: sqlite3.Connection, topic: int, seq: int, limit: int) -> list[Any]:
    query = (
        "SELECT seq, topic, time_ms, key, body FROM records WHERE topic = ? AND seq > ? ORDER BY seq LIMIT ?"
    )
    return db.execute(query, (topic, seq, limit)).fetchall()


def _seq_before(db: sqlite3.Connection, topic: int, time_ms: int) -> int:
    first = db.execute(
        "SELECT min(seq) FROM records WHERE topic = ? AND time_ms >= ?", (topic, time_ms)
    ).fetchone()[0]
    if first is not None:
        return int(first) - 1
    return int(
        db.execute("SELECT coalesce(max(seq), 0) FROM records WHERE topic = ?", (topic,)).fetchone()[0]
    )
