"""The log in one SQLite file: no server, one writer, any number of readers on the same machine.

WAL with synchronous=FULL: what `append` returned for survives a kill and a loss of power
(https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous).
"""

import contextlib
import heapq
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from cme.core.batch import Batch
from cme.log import identity, statements
from cme.log.check import as_batch, content_problems, mark_in, wal_problems
from cme.log.database import connect, damage_told, failure
from cme.log.protocol import CHUNK_BYTES, Chunk, Damage, LogFailed, Position
from cme.log.session import Session
from cme.log.statements import Malformed, Row, size_of
from cme.log.store import Reader, Writer
from cme.log.topics import TOPICS, topic_of

VACUUM_PAGES = 2_000
"""Given back per call of `retain`: 8 MB, so that no append waits long."""
EXPIRE_ROWS = 500
"""Removed per transaction of `retain`, for the same reason."""


class EmbeddedLog:
    """Safe to call from several threads; they take turns. Every call raises LogFailed when it can't be done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._path = session.store.path

    @classmethod
    def open(cls, folder: Path, *, writable: bool) -> Self:
        """Open the log in `folder`, creating it when `writable`; a damaged one is repaired by its writer.

        Raises LogLocked when another process writes it, LogFailed when it can't be used.
        """
        try:
            session = Session(Writer(folder) if writable else Reader(folder))
        except OSError as error:
            raise failure(folder, error) from None
        try:
            session.begin()
        except BaseException:
            session.close()
            raise
        return cls(session)

    @property
    def damages(self) -> Sequence[Damage]:
        """All that was found damaged so far, at opening and since."""
        return self._session.damages

    @property
    def identity(self) -> str:
        """Positions are of the log that says the same; to be asked after what is read with them. Raises LogFailed."""
        try:
            return identity.read(self._path.parent)
        except OSError as error:
            raise failure(self._path.parent / identity.FILE, error) from None

    def end(self) -> int:
        """The number given last; it grows with every append."""
        return self._session.run(statements.last_seq)

    def append(self, batches: Sequence[Batch]) -> Position:
        """See `Log.append`. Raises ValueError, storing none, for a batch that can't be a record of its topic."""
        if not self._session.store.writable:
            raise LogFailed(f"{self._path} was opened for reading only; append through its writer")
        with self._session.turn:
            position = self._session.run(lambda db: statements.insert_all(db, batches), write=True)
            if position:
                self._session.store.acknowledge(max(position.values()))
        return position

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        """See `Log.read`. Goes on behind damaged records until it has a batch or reaches the end."""
        position = {name: after.get(name, 0) for name in topics}
        batches: list[Batch] = []
        damages: list[Damage] = []
        while not batches and (rows := self._rows_behind(position, limit)):
            position.update({name: row[0] for name, row in rows})
            batches, found = self._sorted(row for _, row in rows)
            damages += found
        return Chunk(batches, position, damages)

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        """See `Log.position_at`."""
        ids = {name: topic_of(name).id for name in topics}
        return self._session.run(
            lambda db: {name: statements.seq_before(db, id, time_ms) for name, id in ids.items()}
        )

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        """See `Log.newest`. A damaged one is left out and listed in `damages`."""
        kind = topic_of(topic)
        return self._sorted(self._session.run(lambda db: statements.newest_rows(db, kind, key)))[0]

    def newest_at(self, topic: str, key: str, time_ms: int) -> Batch | None:
        """See `Log.newest_at`. A damaged one is left out and listed in `damages`."""
        kind = topic_of(topic)
        batches, _ = self._sorted(self._session.run(lambda db: statements.newest_at(db, kind, key, time_ms)))
        return batches[0] if batches else None

    def retain(self, now_ms: int) -> int:
        """See `Log.retain`. In short transactions, so that appends get their turn in between."""
        if not self._session.store.writable:
            raise LogFailed(f"{self._path} was opened for reading only; its writer removes what is old")
        removed = sum(self._expire(name, now_ms) for name, topic in TOPICS.items() if topic.keep_ms)
        self._session.run(lambda db: statements.vacuum(db, VACUUM_PAGES), write=True)
        return removed

    def data_version(self) -> int:
        """Of a reader: changes whenever the writer has committed; a cheap question before a read."""
        with self._session.turn:
            version = self._session.run(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))
            return version + (self._session.store.generation << 32)

    def verify(self) -> list[Damage]:
        """Check every page and every record of the file itself; takes seconds per gigabyte."""
        mark, damages = mark_in(self._path.parent)
        problems: list[str] = []
        try:
            # Asked twice, as the writer of another process may just be writing the frame.
            problems += wal_problems(self._path) and wal_problems(self._path)
            with contextlib.closing(connect(self._path, writable=False)) as db, damage_told():
                problems += content_problems(db, mark)
                checked = (as_batch(row, self._path) for row in statements.all_rows(db))
                damages += [found for found in checked if isinstance(found, Damage)]
        except Malformed as error:
            problems.append(str(error))
        except (sqlite3.Error, OSError) as error:
            raise failure(self._path, error) from error
        return damages + [Damage(str(self._path), problem) for problem in problems]

    def close(self) -> None:
        """See `Log.close`."""
        self._session.close()

    def _rows_behind(self, position: Position, limit: int) -> list[tuple[str, Row]]:
        """The next rows of all topics in the order of their numbers: as far as each of them is known."""
        ids = [(name, topic_of(name).id, seq) for name, seq in position.items()]

        def select(db: sqlite3.Connection) -> list[list[tuple[str, Row]]]:
            return [
                [(name, row) for row in statements.rows_behind(db, id, seq, limit, CHUNK_BYTES)]
                for name, id, seq in ids
            ]

        found = self._session.run(select)
        cut = [rows[-1][1][0] for rows in found if sum(size_of(row) for _, row in rows) > CHUNK_BYTES]
        last, taken, size = min(cut, default=2**63), list[tuple[str, Row]](), 0
        for name, row in heapq.merge(*found, key=lambda item: item[1][0]):
            if row[0] > last or len(taken) == limit or size > CHUNK_BYTES:
                break
            taken.append((name, row))
            size += size_of(row)
        return taken

    def _sorted(self, rows: Iterable[Row]) -> tuple[list[Batch], list[Damage]]:
        """The batches of rows, and what is damaged of them."""
        checked = [as_batch(row, self._path) for row in rows]
        damages = [found for found in checked if isinstance(found, Damage)]
        self._session.note(damages)
        return [found for found in checked if isinstance(found, Batch)], damages

    def _expire(self, name: str, now_ms: int) -> int:
        topic, removed = TOPICS[name], 0
        while count := self._session.run(
            lambda db: statements.expire(db, topic, now_ms - topic.keep_ms, EXPIRE_ROWS), write=True
        ):
            removed += count
        return removed
