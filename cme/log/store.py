"""Where the embedded log's connection comes from, and what takes its place when the file is damaged."""

import contextlib
import errno
import os
import sqlite3
from pathlib import Path
from typing import Protocol

from cme.log import identity
from cme.log.check import MARK, content_problems, file_problems, mark_in
from cme.log.database import FILE, connect, damage_told, fsync
from cme.log.filesystem import refuse_network
from cme.log.lock import WriterLock
from cme.log.mark import Mark
from cme.log.protocol import Damage, LogFailed
from cme.log.rebuild import copy, create, finish, rebuild
from cme.log.statements import Malformed

MENDS = 3
"""A file that is damaged more often than this within one process lies on a disk that fails."""


class Store(Protocol):
    path: Path
    writable: bool
    generation: int  # grows with every change of the connection

    def connection(self) -> sqlite3.Connection:
        """Raises sqlite3.Error, Malformed, OSError, LogFailed."""

    def mend(self, problem: str) -> list[Damage]:
        """Make `connection` work again after `problem`; returns what to tell. Raises as `connection` does."""

    def acknowledge(self, seq: int) -> None:
        """Note that all records up to `seq` are stored."""

    def close(self) -> None:
        """Release everything."""


class Writer:
    """The only writer: makes, checks and replaces the file."""

    writable = True

    def __init__(self, folder: Path) -> None:
        """Raises LogLocked, LogFailed, OSError."""
        self.path = folder / FILE
        self.generation = 0
        self._mends = 0
        self._db: sqlite3.Connection | None = None
        _make(folder)
        refuse_network(folder)
        self._lock = WriterLock(folder / "writer.lock")
        self._lock.acquire()
        try:
            self._mark = Mark(folder / MARK)
        except OSError:
            self._lock.release()
            raise

    def begin(self) -> list[Damage]:
        """Bring the file into a state to write to; returns what was found damaged. Raises as `connection`."""
        aside = finish(self.path)
        mark, damages = mark_in(self.path.parent)
        if aside:
            damages.append(Damage(str(self.path), f"was repaired; the damaged file is kept as {aside.name}"))
        is_new = not mark and not _bytes(self.path) and not _bytes(_wal(self.path))
        if is_new or not _bytes(
            self.path.parent / identity.FILE
        ):  # that of a log of an older version is missing
            identity.make(self.path.parent)
        if is_new:  # after its identity, so that who reads that last never takes it for the one before
            create(self.path)
        problems = self._problems(mark)
        if problems:
            damages += self.mend("; ".join(problems))
        return damages

    def connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = connect(self.path, writable=True)
            self.generation += 1
        return self._db

    def mend(self, problem: str) -> list[Damage]:
        self._disconnect()
        if self._mends == MENDS:
            raise LogFailed(f"{self.path} is damaged again: {problem}; check its disk")
        aside, saved = rebuild(self.path, mark_in(self.path.parent)[0])
        self._mends += 1
        kept = f"; the damaged file is kept as {aside.name}" if aside.exists() else ""
        return [Damage(str(self.path), f"{problem}; {saved} records were read back{kept}")]

    def acknowledge(self, seq: int) -> None:
        self._mark.move(seq)

    def close(self) -> None:
        self._disconnect()
        self._mark.close()
        self._lock.release()

    def _problems(self, mark: int) -> list[str]:
        if not _bytes(self.path):
            return ["it is missing or empty"]
        problems = file_problems(self.path)
        if problems:
            return problems
        # Read-only, as the last writable connection to close removes the WAL, which may be what is damaged.
        try:
            with contextlib.closing(connect(self.path, writable=False)) as db, damage_told():
                return list(content_problems(db, mark))
        except Malformed as error:
            return [str(error)]

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class Reader:
    """One of many readers; when the file is damaged it reads a private copy of what can be read back."""

    writable = False

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.generation = 0
        self._db: sqlite3.Connection | None = None
        self._source: tuple[int, ...] = ()
        self._copied = False

    def connection(self) -> sqlite3.Connection:
        if self._db is not None and self._source == self._stamp():
            return self._db
        self.close()
        self._source = self._stamp()
        self._db = connect(self.path, writable=False)
        self.generation += 1
        return self._db

    def mend(self, problem: str) -> list[Damage]:
        self.close()
        self._copied = True
        self._source = self._stamp()
        self._db = copy(self.path, mark_in(self.path.parent)[0])
        self.generation += 1
        return [
            Damage(str(self.path), f"{problem}; read back what is whole; restart its writer to repair it")
        ]

    def acknowledge(self, seq: int) -> None:
        raise NotImplementedError("a reader stores nothing")

    def close(self) -> None:
        self._copied = False
        if self._db is not None:
            self._db.close()
            self._db = None

    def _stamp(self) -> tuple[int, ...]:
        """Changes when the connection has to: with another file, and for a copy with any write."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            raise LogFailed(f"{self.path} does not exist; start the writer first or correct --data") from None
        if not self._copied:
            return (status.st_ino,)
        return status.st_ino, status.st_mtime_ns, _bytes(_wal(self.path)), _written_ns(_wal(self.path))


def _make(folder: Path) -> None:
    """Raises OSError. The mode is for the last folder only; its parents are made as the umask says."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), error.filename) from None
    with contextlib.suppress(OSError):  # a parent that may not be read can't be synced either
        fsync(folder.parent)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _written_ns(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
