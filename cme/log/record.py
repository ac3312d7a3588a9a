"""The bytes of one batch, as FORMAT.md describes them: pure encoding and decoding, little-endian.

Everything that is read is checked before it is believed: a flipped bit anywhere gives RecordDamaged, never a
wrong number, and a hostile length never an allocation beyond the record itself.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from cme.core.batch import COLUMN_TYPES, Batch, Column
from cme.core.errors import TidecastError
from cme.log.topics import NAMES, TOPICS

MAGIC = b"TCR1"  # the last byte is the version
_HEAD = struct.Struct("<4sI")  # magic, CRC-32 of all that follows
_BODY = struct.Struct("<BqqQIHH")  # topic, seq, time_ms, epoch, rows, bytes of key, columns
_COLUMN = struct.Struct("<BBI")  # bytes of name, type, bytes of payload
_TEXT = len(COLUMN_TYPES)


class RecordDamaged(TidecastError):
    """The bytes are not those that were written; the text says what does not fit."""


def encode(batch: Batch, seq: int) -> bytes:
    """The record of a batch, stored under number `seq`."""
    key = batch.key.encode()
    body = _BODY.pack(
        TOPICS[batch.topic].id,
        seq,
        batch.time_ms,
        batch.epoch,
        len(batch.series),
        len(key),
        len(batch.columns),
    )
    columns = [_encode_column(name, column) for name, column in batch.columns.items()]
    rest = b"".join([body, key, batch.series.astype("<u8").tobytes(), *columns])
    return _HEAD.pack(MAGIC, zlib.crc32(rest)) + rest


def decode(data: bytes, seq: int | None = None) -> Batch:
    """The batch of a record. Raises RecordDamaged, also when the record is not number `seq`."""
    if len(data) < _HEAD.size + _BODY.size:
        raise RecordDamaged(f"only {len(data)} bytes long")
    magic, crc = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise RecordDamaged(f"begins with {magic!r}, not {MAGIC!r}")
    if zlib.crc32(memoryview(data)[_HEAD.size :]) != crc:
        raise RecordDamaged("its CRC does not fit")
    try:
        number, batch = _decode_body(data)
    except (struct.error, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise RecordDamaged(f"its structure does not fit: {error}") from None
    if seq is not None and number != seq:
        raise RecordDamaged(f"it is number {number}, stored as {seq}")
    return batch


def split(batch: Batch, max_bytes: int) -> Iterator[Batch]:
    """The batch in parts of whole rows whose records stay below `max_bytes`.

    Raises ValueError for a single row that is too large.
    """
    if len(encode(batch, 0)) <= max_bytes:
        yield batch
    elif len(batch.series) <= 1:
        raise ValueError(f"one row of {batch.topic} {batch.key!r} is larger than {max_bytes} bytes")
    else:
        middle = len(batch.series) // 2
        yield from split(batch.rows(0, middle), max_bytes)
        yield from split(batch.rows(middle, len(batch.series)), max_bytes)


def _encode_column(name: str, column: Column) -> bytes:
    label = name.encode()
    if isinstance(column, tuple):
        texts = [text.encode() for text in column]
        lengths = np.array([len(text) for text in texts], dtype="<u4").tobytes()
        kind, payload = _TEXT, b"".join([lengths, *texts])
    else:
        kind = COLUMN_TYPES.index(column.dtype.name)
        payload = column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()
    return _COLUMN.pack(len(label), kind, len(payload)) + label + payload


def _decode_body(data: bytes) -> tuple[int, Batch]:
    topic, seq, time_ms, epoch, rows, key_size, count = _BODY.unpack_from(data, _HEAD.size)
    at = _HEAD.size + _BODY.size
    key = data[at : at + key_size].decode()
    at += key_size
    series = np.frombuffer(data, "<u8", rows, at).astype(np.uint64)
    at += 8 * rows
    columns: dict[str, Column] = {}
    for _ in range(count):
        label_size, kind, size = _COLUMN.unpack_from(data, at)
        at += _COLUMN.size
        name = data[at : at + label_size].decode()
        at += label_size
        columns[name] = _decode_column(data[at : at + size], kind, rows)
        at += size
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes beyond its end")
    return seq, Batch(NAMES[topic], time_ms, series, columns, key, epoch)


def _decode_column(payload: bytes, kind: int, rows: int) -> Column:
    if kind != _TEXT:
        dtype = np.dtype(COLUMN_TYPES[kind])
        return np.frombuffer(payload, dtype.newbyteorder("<"), rows).astype(dtype)
    ends = np.cumsum(np.frombuffer(payload, "<u4", rows), dtype=np.int64) + 4 * rows
    starts = [4 * rows, *ends.tolist()]
    if starts[-1] != len(payload):
        raise ValueError("texts do not fill their column")
    return tuple(payload[a:b].decode() for a, b in zip(starts, ends.tolist(), strict=False))
