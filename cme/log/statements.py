"""The SQL of the embedded log: its tables, and each question to them, inside a transaction of the caller's."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from cme.core.batch import Batch
from cme.log.protocol import MAX_RECORD_BYTES
from cme.log.record import encode, split
from cme.log.topics import TOPICS, Topic, topic_of

FORMAT = 1
APPLICATION_ID = 0x54434C47  # "TCLG": tells our files from other people's SQLite files
PAGE_BYTES = 4096
MAX_KEY_BYTES = 400
"""A longer key would push the head of its record out of the leaf page, where `salvage` looks for it."""

SCHEMA = {
    "records": "CREATE TABLE records(seq INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL, "
    "time_ms INTEGER NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL)",
    "meta": "CREATE TABLE meta(name TEXT NOT NULL, value INTEGER NOT NULL)",
    "by_topic": "CREATE INDEX by_topic ON records(topic)",
    "by_time": "CREATE INDEX by_time ON records(topic, time_ms)",
    "by_key": "CREATE INDEX by_key ON records(topic, key) WHERE key != ''",
}

_ROW = "seq, topic, time_ms, key, body"
_AGED = (
    "SELECT seq FROM (SELECT seq, row_number() OVER (PARTITION BY key ORDER BY seq DESC) AS age "
    "FROM records WHERE topic = ? AND key != '') WHERE age"
)
_INSERT = f"INSERT INTO records({_ROW}) VALUES (?, ?, ?, ?, ?)"

Row = tuple[int, Any, Any, Any, Any]
"""Number, topic, time, key and body as stored; of a damaged file all but the first may be of any type."""


def size_of(row: Row) -> int:
    """Bytes of its body."""
    return len(row[-1]) if isinstance(row[-1], bytes) else 0


class Malformed(Exception):
    """The file is not as it was written, though SQLite has not noticed."""


def create(db: sqlite3.Connection) -> None:
    """The tables of an empty log. The connection's page size and vacuum mode are set before."""
    for sql in SCHEMA.values():
        db.execute(sql)
    db.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
    db.execute("INSERT INTO sqlite_sequence VALUES ('records', 0)")
    db.execute(f"PRAGMA user_version = {FORMAT}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def last_seq(db: sqlite3.Connection) -> int:
    """The number given last, whether or not its record still exists. Raises Malformed."""
    found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchall()
    if len(found) != 1 or not isinstance(found[0][0], int):
        raise Malformed("it does not say which number was given last")
    return found[0][0]


def insert_all(db: sqlite3.Connection, batches: Iterable[Batch]) -> dict[str, int]:
    """Insert the batches and compact their keys; returns each topic's last number.

    Raises ValueError for an unknown topic, a key that is too long, or a batch that can't be split.
    """
    position: dict[str, int] = {}
    keys: dict[tuple[str, str], None] = {}
    seq = last_seq(db)
    for batch in batches:
        topic = topic_of(batch.topic)
        for part, body in _encoded(batch, seq + 1):
            seq += 1
            db.execute(_INSERT, (seq, topic.id, part.time_ms, part.key, body))
        position[batch.topic] = seq
        if topic.keep_newest and not topic.keep_ms and batch.key:
            keys[batch.topic, batch.key] = None
    for name, key in keys:
        _compact(db, TOPICS[name], key)
    return position


def rows_behind(db: sqlite3.Connection, topic: int, seq: int, limit: int, max_bytes: int) -> list[Row]:
    """The next rows, up to the one that goes beyond so many bytes."""
    query = f"SELECT {_ROW} FROM records WHERE topic = ? AND seq > ? ORDER BY seq LIMIT ?"
    rows: list[Row] = []
    size = 0
    for row in db.execute(query, (topic, seq, limit)):
        rows.append(row)
        if (size := size + size_of(row)) > max_bytes:
            break
    return _in_order(rows, seq)


def seq_before(db: sqlite3.Connection, topic: int, time_ms: int) -> int:
    """The number just before the first record of a topic at or after a time, or its last one."""
    query = "SELECT min(seq) - 1 FROM records WHERE topic = ? AND time_ms >= ?"
    found = db.execute(query, (topic, time_ms)).fetchone()[0]
    if found is None:
        found = db.execute("SELECT coalesce(max(seq), 0) FROM records WHERE topic = ?", (topic,)).fetchone()[
            0
        ]
    return int(found)


def newest_rows(db: sqlite3.Connection, topic: Topic, key: str | None) -> list[Row]:
    """The newest records of one key, or of every key, oldest first."""
    if key is not None:
        query = (
            f"SELECT {_ROW} FROM records WHERE topic = ? AND key = ? AND key != '' ORDER BY seq DESC LIMIT ?"
        )
        return db.execute(query, (topic.id, key, topic.keep_newest)).fetchall()[::-1]
    query = f"SELECT {_ROW} FROM records WHERE seq IN ({_AGED} <= ?) ORDER BY seq"
    return db.execute(query, (topic.id, topic.keep_newest)).fetchall()


def newest_at(db: sqlite3.Connection, topic: Topic, key: str, time_ms: int) -> list[Row]:
    """The newest record of a key that is not after a time, if there is one."""
    # Its key is named as not empty, or the index `by_key` would not serve.
    query = f"SELECT {_ROW} FROM records WHERE topic = ? AND key = ? AND key != '' AND time_ms <= ? ORDER BY seq DESC LIMIT 1"
    return db.execute(query, (topic.id, key, time_ms)).fetchall()


def expire(db: sqlite3.Connection, topic: Topic, before_ms: int, limit: int) -> int:
    """Remove up to `limit` records older than `before_ms`; returns how many went.

    The newest records of a key stay, and so does the newest record of all: `check` relies on its number.
    """
    doomed = (
        "SELECT seq FROM records WHERE topic = ? AND time_ms < ? AND seq < (SELECT max(seq) FROM records)"
    )
    values: tuple[int, ...] = (topic.id, before_ms)
    if topic.keep_newest:
        doomed += f" AND seq NOT IN ({_AGED} <= ?)"
        values += (topic.id, topic.keep_newest)
    query = f"DELETE FROM records WHERE seq IN ({doomed} LIMIT ?)"
    return db.execute(query, (*values, limit)).rowcount


def vacuum(db: sqlite3.Connection, pages: int) -> None:
    """Give up to `pages` free pages back to the disk. One at a time, as Python steps this pragma only once."""
    free = db.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(min(pages, free)):
        db.execute("PRAGMA incremental_vacuum(1)")


def compact_all(db: sqlite3.Connection) -> None:
    """Remove superseded records of topics without history, as `insert_all` does for the keys it writes."""
    for topic in TOPICS.values():
        if topic.keep_newest and not topic.keep_ms:
            db.execute(
                f"DELETE FROM records WHERE seq IN ({_AGED} > ?)",
                (topic.id, topic.keep_newest),
            )


def insert_old(db: sqlite3.Connection, seq: int, batch: Batch, body: bytes) -> int:
    """Insert a record that was read back under its own number; returns 1, or 0 when it is there already."""
    row = (seq, TOPICS[batch.topic].id, batch.time_ms, batch.key, body)
    return db.execute(_INSERT.replace("INSERT", "INSERT OR IGNORE", 1), row).rowcount


def all_rows(db: sqlite3.Connection) -> Iterator[Row]:
    """Every record straight from the table, in slices so that no slice holds a long read."""
    seq = -(2**63)
    query = f"SELECT {_ROW} FROM records NOT INDEXED WHERE seq > ? ORDER BY seq LIMIT 256"
    while rows := _in_order(db.execute(query, (seq,)).fetchall(), seq):
        yield from rows
        seq = rows[-1][0]


def _in_order(rows: list[Row], seq: int) -> list[Row]:
    """The rows, if each is behind the one before: a reader of anything else might go around for ever."""
    for row in rows:
        if row[0] <= seq:
            raise Malformed(f"record {row[0]} comes after record {seq}")
        seq = row[0]
    return rows


def _encoded(batch: Batch, seq: int) -> list[tuple[Batch, bytes]]:
    """The records of a batch, numbered from `seq`: one, unless it is too large."""
    if len(batch.key.encode()) > MAX_KEY_BYTES:
        raise ValueError(f"key {batch.key[:40]!r}... is longer than {MAX_KEY_BYTES} bytes")
    return [(part, encode(part, seq + i)) for i, part in enumerate(split(batch, MAX_RECORD_BYTES))]


def _compact(db: sqlite3.Connection, topic: Topic, key: str) -> None:
    kept = "SELECT seq FROM records WHERE topic = ? AND key = ? AND key != '' ORDER BY seq DESC LIMIT ?"
    query = f"DELETE FROM records WHERE topic = ? AND key = ? AND key != '' AND seq NOT IN ({kept})"
    db.execute(query, (topic.id, key, topic.id, key, topic.keep_newest))
