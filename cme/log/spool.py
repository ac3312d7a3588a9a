"""Batches on disk that wait for a log that can't be reached, oldest first; bounded, for the newest count most.

A folder of files, each of records (FORMAT.md) one behind another: what is written together is in one file, and durable on return.
"""

import logging
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from io import RawIOBase
from pathlib import Path

from cme.core.batch import Batch
from cme.log.database import fsync
from cme.log.protocol import MAX_RECORD_BYTES, LogFailed
from cme.log.record import RecordDamaged, decode, encode, header_at, split

log = logging.getLogger("tidecast.log")

FILE_BYTES = 1 << 20
"""Written on to until it is so long; read, and given up, as a whole."""

_SUFFIX = ".records"


class Spool:
    """`on_drop` is told of each batch that was given up. Not for several threads at a time."""

    def __init__(self, folder: Path, max_bytes: int, on_drop: Callable[[Batch], None]) -> None:
        self._folder, self._max_bytes, self._on_drop = folder, max_bytes, on_drop
        # What is written on: never a file that another process may have left unfinished.
        self._open: Path | None = None
        self._delivered: set[Path] = set()  # that the disk would not remove

    def put(self, batches: Sequence[Batch]) -> None:
        """Durably. Raises LogFailed, and ValueError for a batch that can't be a record."""
        parts = [part for batch in batches for part in split(batch, MAX_RECORD_BYTES)]
        content = b"".join(map(encode, parts))
        try:
            self._write(content)
            self._remove_delivered()
            while len(files := self._waiting()) > 1 and sum(_size(file) for file in files) > self._max_bytes:
                for batch in _batches(files[0].read_bytes()):
                    self._on_drop(batch)
                files[0].unlink()
        except OSError as error:
            raise self._failed(error) from None

    def first(self) -> tuple[Path, list[Batch]] | None:
        """The oldest file and what is in it; None when nothing waits. Nothing is added to it any more. Raises
        LogFailed."""
        try:
            files = self._waiting()
            if not files:
                return None
            if files[0] == self._open:
                self._open = None
            return files[0], list(_batches(files[0].read_bytes()))
        except OSError as error:
            raise self._failed(error) from None

    def forget(self, file: Path) -> None:
        """It has been delivered; it may have been given up meanwhile, for want of room. Where the disk won't remove it, it is not
        told again all the same, as long as this process runs."""
        self._delivered.add(file)
        try:
            self._remove_delivered()
        except OSError as error:
            log.warning(
                "%s; it has been delivered, and would be once more by another process", self._failed(error)
            )

    def _remove_delivered(self) -> None:
        for file in sorted(self._delivered):
            file.unlink(missing_ok=True)
            self._delivered.remove(file)

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._open is None or _size(self._open) >= FILE_BYTES:
            numbers = [int(file.stem) for file in self._files()]
            self._open = self._folder / f"{max(numbers, default=0) + 1:012d}{_SUFFIX}"
        before = _size(self._open)
        with os.fdopen(os.open(self._open, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
            file.seek(before)
            try:
                _write_whole(file, content)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)  # what is not durable is the caller's still
                raise
        fsync(self._folder)

    def _waiting(self) -> list[Path]:
        return [file for file in self._files() if file not in self._delivered]

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _failed(self, error: OSError) -> LogFailed:
        return LogFailed(
            f"{self._folder}: {os.strerror(error.errno or 0)}; free some space, or make it writable"
        )


def _write_whole(file: RawIOBase, content: bytes) -> None:
    """A disk that fills up takes a part, and refuses the rest."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _batches(content: bytes) -> Iterator[Batch]:
    """Up to the first record that is not whole: a process that was killed was writing it, and nothing is behind it."""
    at = 0
    while at < len(content):
        try:
            length = header_at(content, at).length
            yield decode(content[at : at + length])
        except (RecordDamaged, struct.error):
            return
        at += length
