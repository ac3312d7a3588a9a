"""Finding whole records in the pages of a damaged file, whatever became of the structure around them.

Every record names itself (magic, length, number, topic, key, CRC), so that neither the header of its page, nor
the cell around it, nor any interior page or index is needed: only its own bytes and, of a long one, the
chain of its overflow pages. Source: https://sqlite.org/fileformat2.html#b_tree_pages.

A record that was removed may be found too, where SQLite has not yet written over it.
"""

import contextlib
import mmap
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cme.core.batch import Batch
from cme.log.protocol import MAX_RECORD_BYTES
from cme.log.record import HEADER_BYTES, MAGIC, Header, RecordDamaged, decode, header_at
from cme.log.statements import PAGE_BYTES
from cme.log.wal import Frame, read_wal

Buffer = bytes | memoryview | mmap.mmap

_ALL_LOCAL = PAGE_BYTES - 35
_LEAST_LOCAL = (PAGE_BYTES - 12) * 32 // 255 - 23
_CHAINED = PAGE_BYTES - 4
_INTEGER_BYTES = ((8, 1), (16, 2), (24, 3), (32, 4), (48, 6), (64, 8))  # bits, bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A whole record, its CRC checked, under its own number."""

    seq: int
    batch: Batch
    body: bytes


def salvage(path: Path) -> Iterator[Found]:
    """Every whole record in a database file and its WAL, in no order, some more than once. Raises OSError.

    No connection of this process may write the file meanwhile: closing a file drops the locks that the
    process holds on it (https://sqlite.org/howtocorrupt.html, "posix advisory locks").
    """
    wal = path.with_name(path.name + "-wal")
    frames = read_wal(wal.read_bytes()).frames if wal.exists() else []
    with contextlib.ExitStack() as stack:
        main: Buffer = b""
        if path.exists() and path.stat().st_size:
            file = stack.enter_context(path.open("rb"))
            main = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        yield from Pages(main, frames).records()


class Pages:
    """The pages of a database file, as its WAL's frames overlay them."""

    def __init__(self, main: Buffer, frames: Sequence[Frame] = ()) -> None:
        self._main, self._frames = main, frames
        good = {frame.page_number: frame.page for frame in frames if frame.good}
        every = {frame.page_number: frame.page for frame in frames}
        # A damaged frame may hold a good page, or name the wrong one: both readings are tried.
        self._views = [good] if all(frame.good for frame in frames) else [good, every]

    def records(self) -> Iterator[Found]:
        for sheet in [self._main, *(frame.page for frame in self._frames)]:
            for at in _places(sheet):
                rest = PAGE_BYTES - at % PAGE_BYTES
                found = self._record(bytes(sheet[at : at + rest]))
                if found:
                    yield found

    def _record(self, start: bytes) -> Found | None:
        """The record that begins at `start`, which reaches to the end of its page."""
        try:
            header = header_at(start)
        except struct.error:
            return None
        if not HEADER_BYTES <= header.length <= MAX_RECORD_BYTES:
            return None
        local = bytes_in_leaf(header)
        for view in self._views:
            try:
                body = start[:local] + self._chain(view, start[local : local + 4], header.length - local)
                return Found(header.seq, decode(body), body)
            except RecordDamaged:
                continue
        return None

    def _chain(self, view: Mapping[int, Buffer], pointer: bytes, size: int) -> bytes:
        """`size` bytes of overflow pages, the first of which `pointer` names; fewer when the chain breaks."""
        parts = []
        while size > 0:
            page = self._page(view, int.from_bytes(pointer, "big"))
            parts.append(page[4 : 4 + size])
            pointer, size = page[:4], size - _CHAINED
            if not page:
                break
        return b"".join(parts)

    def _page(self, view: Mapping[int, Buffer], number: int) -> bytes:
        if number in view:
            return bytes(view[number])
        return bytes(self._main[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]) if number else b""


def bytes_in_leaf(header: Header) -> int:
    """How many bytes of a record lie in its leaf page; the others lie in overflow pages.

    Follows from the sizes of the row's columns and of the row's header, as SQLite stores them.
    """
    size = header.length
    columns = [_integer_bytes(header.topic), _integer_bytes(header.time_ms), header.key_bytes]
    types = [1, 1, 1, _varint_bytes(13 + 2 * header.key_bytes), _varint_bytes(12 + 2 * size)]
    before = 1 + sum(types) + sum(columns)
    payload = before + size
    if payload <= _ALL_LOCAL:
        return size
    local = _LEAST_LOCAL + (payload - _LEAST_LOCAL) % _CHAINED
    return (local if local <= _ALL_LOCAL else _LEAST_LOCAL) - before


def _places(sheet: Buffer) -> Iterator[int]:
    if isinstance(sheet, memoryview):
        sheet = bytes(sheet)
    at = sheet.find(MAGIC)
    while at >= 0:
        yield at
        at = sheet.find(MAGIC, at + 1)


def _integer_bytes(value: int) -> int:
    """0 and 1 are told by the row's header alone."""
    if value in (0, 1):
        return 0
    bits = (value if value >= 0 else ~value).bit_length() + 1
    return next(size for limit, size in _INTEGER_BYTES if bits <= limit)


def _varint_bytes(value: int) -> int:
    return max(1, -(-value.bit_length() // 7))
