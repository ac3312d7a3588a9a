"""The number of the newest acknowledged record, outside the database.

A flipped byte in the last frame of a WAL looks just like a frame that a killed process had half written, and
SQLite drops both without a word. This number tells them apart: it is written after a commit, so a database
that ends before it has lost something. It needs no fsync: one that is too low hides a loss, but invents none.
"""

import contextlib
import os
import zlib
from pathlib import Path

_MAGIC = b"TCM1"


def encode_mark(seq: int) -> bytes:
    """16 bytes: magic, number (little-endian, 64 bit), CRC-32 of both."""
    head = _MAGIC + seq.to_bytes(8, "little")
    return head + zlib.crc32(head).to_bytes(4, "little")


def read_mark(path: Path) -> int | None:
    """The number in `path`: 0 when there is no such file or it is empty, None when it is damaged."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return 0
    seq = int.from_bytes(data[4:12], "little")
    return seq if not data or encode_mark(seq) == data else None


class Mark:
    """Kept open by the writer, so that moving it costs one small write."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def move(self, seq: int) -> None:
        """A failure is let pass: the records themselves are stored, and a low mark claims too little."""
        with contextlib.suppress(OSError):
            os.pwrite(self._file, encode_mark(seq), 0)

    def close(self) -> None:
        os.close(self._file)
