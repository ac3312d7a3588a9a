"""Who wrote a record, and as which of its own: the one header of each record (FORMAT.md)."""

import secrets
import struct
from typing import NamedTuple

from cme.log.record import RecordDamaged

HEADER = "stamp"
WRITER_BYTES = 8
_STAMP = struct.Struct("<8sQ")

Headers = list[tuple[str, bytes]]


class Stamp(NamedTuple):
    """`order` grows with each record of a writer, whatever its topic, and is about the microsecond of writing: so two writers'
    records can be told apart and put into a row."""

    writer: bytes
    order: int

    def headers(self) -> Headers:
        return [(HEADER, _STAMP.pack(*self))]


def new_writer() -> bytes:
    """Another name for each opening of a log."""
    return secrets.token_bytes(WRITER_BYTES)


def stamp_in(headers: Headers) -> Stamp:
    """Raises RecordDamaged for a record that none of ours has written."""
    values = [value for name, value in headers if name == HEADER]
    if len(values) != 1 or len(values[0]) != _STAMP.size:
        raise RecordDamaged("it has no stamp")
    return Stamp(*_STAMP.unpack(values[0]))
