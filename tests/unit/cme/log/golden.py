"""Writes a golden record: `python -m tests.unit.cme.log.golden N > tests/golden/record-vN.hex`, of version 1 or 2.

Only a new format version may change such a file, and then under a new name: these must stay readable.
"""

import sys
import zlib
from pathlib import Path

import numpy as np

from cme.core.batch import Batch, series_ids
from cme.log.record import HEADER_BYTES, encode, header_at

FOLDER = Path(__file__).parents[3] / "golden"
GOLDEN, GOLDEN_PACKED = FOLDER / "record-v1.hex", FOLDER / "record-v2.hex"
SEQ = 7


def golden_batch() -> Batch:
    """Two rows with a column of every type."""
    return Batch(
        "policies",
        1_750_000_000_123,
        series_ids([1, 2**64 - 1]),
        {
            "float64": np.array([1.5, -0.0], dtype=np.float64),
            "float32": np.array([0.1, np.inf], dtype=np.float32),
            "int64": np.array([-1, 2**63 - 1], dtype=np.int64),
            "uint64": np.array([0, 2**64 - 1], dtype=np.uint64),
            "uint32": np.array([1, 2**32 - 1], dtype=np.uint32),
            "uint8": np.array([0, 255], dtype=np.uint8),
            "text": ("", "grün"),
        },
        key="shop/web",
        epoch=3,
    )


def plain(record: bytes) -> bytes:
    """A record of either version as one of version 1, by FORMAT.md."""
    if record[:4] == b"TCR1":
        return record
    start = HEADER_BYTES + header_at(record).key_bytes
    content = zlib.decompress(record[start:])
    length = (start + len(content)).to_bytes(4, "little")
    return signed(b"TCR1", length + record[12:start] + content)


def packed(record: bytes) -> bytes:
    """A record of version 1 as one of version 2, by FORMAT.md."""
    start = HEADER_BYTES + header_at(record).key_bytes
    return packed_as(record, zlib.compress(record[start:]))


def packed_as(record: bytes, stream: bytes) -> bytes:
    """With what the record would have as its packed part, whatever it is."""
    start = HEADER_BYTES + header_at(record).key_bytes
    length = (start + len(stream)).to_bytes(4, "little")
    return signed(b"TCR2", length + record[12:start] + stream)


def signed(magic: bytes, body: bytes) -> bytes:
    """A record whose CRC fits."""
    return magic + zlib.crc32(body).to_bytes(4, "little") + body


def as_lines(data: bytes) -> str:
    """Hex in lines of 32 bytes."""
    return "".join(f"{data[i : i + 32].hex(' ')}\n" for i in range(0, len(data), 32))


if __name__ == "__main__":
    record = encode(golden_batch(), SEQ)
    print(as_lines({"1": record, "2": packed(record)}[sys.argv[1]]), end="")
