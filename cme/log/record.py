"""The bytes of one batch, as FORMAT.md describes them: pure encoding and decoding, little-endian.

Everything that is read is checked before it is believed: a flipped bit anywhere gives RecordDamaged, never a
wrong number, and a hostile length never an allocation beyond the record itself.
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np

from cme.core.batch import COLUMN_TYPES, Batch, Column
from cme.core.errors import TidecastError
from cme.log.protocol import MAX_RECORD_BYTES
from cme.log.topics import NAMES, TOPICS

MAGIC = b"TCR"
"""What every record begins with; a byte for the version follows."""
_PLAIN, _PACKED = MAGIC + b"1", MAGIC + b"2"
_LEVEL = 1
"""Of zlib: higher ones take thrice the time for a tenth less."""
_HEAD = struct.Struct("<4sI")  # magic, CRC-32 of all that follows
_BODY = struct.Struct("<IBqqQIHH")  # see Header
_COLUMN = struct.Struct("<BBI")  # bytes of name, type, bytes of payload
_STORED = tuple(kind.newbyteorder("<") for kind in COLUMN_TYPES)
_TEXT = len(COLUMN_TYPES)
HEADER_BYTES = _HEAD.size + _BODY.size


class RecordDamaged(TidecastError):
    """The bytes are not those that were written; `problem` says what does not fit."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Header(NamedTuple):
    """The fixed part of a record; `length` and `key_bytes` in bytes, `length` of the whole record."""

    length: int
    topic: int
    seq: int
    time_ms: int
    epoch: int
    rows: int
    key_bytes: int
    columns: int


def encode(batch: Batch, seq: int = 0) -> bytes:
    """The record of a batch, stored under number `seq`; 0 says that its number is not known yet.

    Raises ValueError for a name or key that is too long.
    """
    key, topic = batch.key.encode(), TOPICS[batch.topic]
    columns = [_encode_column(name, column) for name, column in batch.columns.items()]
    magic, rest = _PLAIN, b"".join([batch.series.astype("<u8", copy=False).tobytes(), *columns])
    if topic.packed:
        magic, rest = _PACKED, zlib.compress(rest, _LEVEL)
    header = Header(
        HEADER_BYTES + len(key) + len(rest),
        topic.id,
        seq,
        batch.time_ms,
        batch.epoch,
        len(batch.series),
        len(key),
        len(batch.columns),
    )
    try:
        body = _BODY.pack(*header) + key + rest
    except struct.error as error:
        raise ValueError(f"{batch.topic} {batch.key[:40]!r} does not fit into a record: {error}") from None
    return _HEAD.pack(magic, zlib.crc32(body)) + body


def header_at(data: bytes | memoryview, at: int = 0) -> Header:
    """The fixed part of the record that begins at `at`, unchecked. Raises struct.error when `data` ends before."""
    return Header._make(_BODY.unpack_from(data, at + _HEAD.size))


def decode(data: bytes, seq: int | None = None) -> Batch:
    """The batch of a record. Raises RecordDamaged, also when the record says it is not number `seq`."""
    if len(data) < HEADER_BYTES:
        raise RecordDamaged(f"only {len(data)} bytes long")
    magic, crc = _HEAD.unpack_from(data)
    if magic not in (_PLAIN, _PACKED):
        raise RecordDamaged(f"begins with {magic!r}, not {_PLAIN!r} or {_PACKED!r}")
    if zlib.crc32(memoryview(data)[_HEAD.size :]) != crc:
        raise RecordDamaged("its CRC does not fit")
    header = header_at(data)
    if seq is not None and header.seq not in (0, seq):
        raise RecordDamaged(f"it is number {header.seq}, stored as {seq}")
    try:
        if header.length != len(data):
            raise ValueError(f"{len(data)} bytes instead of {header.length}")
        return _decode_body(data if magic == _PLAIN else _unpacked(data, header), header)
    except (struct.error, zlib.error, ValueError, KeyError, IndexError) as error:
        raise RecordDamaged(f"its structure does not fit: {error}") from None


def split(batch: Batch, max_bytes: int) -> list[Batch]:
    """The batch in parts of whole rows whose records are at most `max_bytes` long, unpacked.

    Raises ValueError naming a single row that is too large, and for a batch with a key: only its last part would be kept.
    """
    if _length(batch) <= max_bytes:
        return [batch]
    if batch.key:
        raise ValueError(
            f"{batch.topic} {batch.key!r} is larger than {max_bytes} bytes; write it in smaller blocks"
        )
    if len(batch.series) <= 1:
        name = f"row of series {batch.series[0]}" if len(batch.series) else "head"
        raise ValueError(f"the {name} of {batch.topic} {batch.key!r} is larger than {max_bytes} bytes")
    middle = len(batch.series) // 2
    halves = batch.rows(0, middle), batch.rows(middle, len(batch.series))
    return [part for half in halves for part in split(half, max_bytes)]


def _length(batch: Batch) -> int:
    """Of its record in bytes, unpacked."""
    columns = sum(_COLUMN.size + len(name.encode()) + _nbytes(one) for name, one in batch.columns.items())
    return HEADER_BYTES + len(batch.key.encode()) + 8 * len(batch.series) + columns


def _nbytes(column: Column) -> int:
    if isinstance(column, tuple):
        return 4 * len(column) + sum(len(text.encode()) for text in column)
    return column.nbytes


def _encode_column(name: str, column: Column) -> bytes:
    label = name.encode()
    if len(label) > 255:
        raise ValueError(f"column {name[:40]}... has a name of more than 255 bytes")
    if isinstance(column, tuple):
        texts = [text.encode() for text in column]
        lengths = np.array([len(text) for text in texts], dtype="<u4").tobytes()
        kind, payload = _TEXT, b"".join([lengths, *texts])
    else:
        kind = COLUMN_TYPES.index(column.dtype)
        payload = column.astype(_STORED[kind], copy=False).tobytes()
    return _COLUMN.pack(len(label), kind, len(payload)) + label + payload


def _unpacked(data: bytes, header: Header) -> bytes:
    """The same record in version 1, but for its first fields. No more is made of it than such a record may have."""
    start = HEADER_BYTES + header.key_bytes
    inflater = zlib.decompressobj()
    rest = inflater.decompress(data[start:], MAX_RECORD_BYTES)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("what is packed does not end where it should")
    return data[:start] + rest


def _decode_body(data: bytes, header: Header) -> Batch:
    at = HEADER_BYTES
    key = data[at : at + header.key_bytes].decode()
    at += header.key_bytes
    series = np.frombuffer(data, "<u8", header.rows, at).astype(np.uint64)
    at += 8 * header.rows
    columns: dict[str, Column] = {}
    for _ in range(header.columns):
        label_size, kind, size = _COLUMN.unpack_from(data, at)
        at += _COLUMN.size
        name = data[at : at + label_size].decode()
        at += label_size
        columns[name] = _decode_column(data[at : at + size], kind, header.rows)
        at += size
    if at != len(data) or len(columns) != header.columns:
        raise ValueError("its columns do not fill it")
    return Batch(NAMES[header.topic], header.time_ms, series, columns, key, header.epoch)


def _decode_column(payload: bytes, kind: int, rows: int) -> Column:
    if kind == _TEXT:
        return _decode_texts(payload, rows)
    dtype = COLUMN_TYPES[kind]
    if len(payload) != rows * dtype.itemsize:
        raise ValueError(f"{len(payload)} bytes for {rows} of {dtype}")
    return np.frombuffer(payload, _STORED[kind]).astype(dtype)


def _decode_texts(payload: bytes, rows: int) -> tuple[str, ...]:
    lengths = np.frombuffer(payload, "<u4", rows)
    ends = (np.cumsum(lengths, dtype=np.int64) + 4 * rows).tolist()
    starts = [4 * rows, *ends]
    if starts[-1] != len(payload):
        raise ValueError("texts do not fill their column")
    return tuple(payload[a:b].decode() for a, b in zip(starts, ends, strict=False))
