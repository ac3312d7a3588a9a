"""The bytes of an answer of the log's server, as FORMAT.md describes them: a line of JSON, then records."""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from cme.core.batch import Batch
from cme.log.protocol import Damage, Position
from cme.log.record import RecordDamaged, decode, header_at


@dataclass(frozen=True, slots=True)
class Head:
    """`log` is the log's identity, `end` the number that it gave last."""

    log: str
    end: int
    position: Position
    damages: Sequence[Damage] = ()


def pack(head: Head, records: Iterable[bytes]) -> bytes:
    line = json.dumps(asdict(head) | {"damages": [(one.where, one.problem) for one in head.damages]})
    return b"".join([line.encode(), b"\n", *records])


def unpack(data: bytes) -> tuple[Head, list[Batch]]:
    """Raises RecordDamaged for anything but what `pack` made."""
    line, _, rest = data.partition(b"\n")
    try:
        return _head(**json.loads(line)), list(_batches(rest))
    except (ValueError, TypeError, struct.error) as error:
        raise RecordDamaged(f"its structure does not fit: {error}") from None


def _head(log: str, end: int, position: dict[str, int], damages: list[tuple[str, str]]) -> Head:
    return Head(log, end, position, [Damage(where, problem) for where, problem in damages])


def _batches(data: bytes) -> Iterator[Batch]:
    at = 0
    while at < len(data):
        length = header_at(data, at).length
        yield decode(data[at : at + length])
        at += length
