"""The bytes of an answer of the log's server, as FORMAT.md describes them: a line of JSON, then records."""

import struct
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cme.core.batch import Batch
from cme.log.protocol import Damage
from cme.log.record import RecordDamaged, decode, header_at

Number = Annotated[int, Field(ge=0, lt=2**63)]
"""Of a record, as SQLite numbers them."""

_FAULTS = 3


class Head(BaseModel):
    """`log` is the log's identity, `end` the number that it gave last. What a newer server says more is left out."""

    model_config = ConfigDict(frozen=True, strict=True)

    log: str = Field(pattern="^[0-9a-f]{32}$")
    end: Number
    position: dict[str, Number] = {}
    damages: tuple[Damage, ...] = ()


def pack(head: Head, records: Iterable[bytes]) -> bytes:
    return b"".join([head.model_dump_json().encode(), b"\n", *records])


def unpack(data: bytes) -> tuple[Head, list[Batch]]:
    """Raises RecordDamaged for anything but what `pack` made."""
    line, _, rest = data.partition(b"\n")
    try:
        return Head.model_validate_json(line), list(_batches(rest))
    except ValidationError as error:
        raise RecordDamaged(f"its head does not fit: {faults(error)}") from None
    except struct.error as error:
        raise RecordDamaged(f"its end is missing: {error}") from None


def faults(error: ValidationError) -> str:
    """The first few, in one line: what and why."""
    found = error.errors(include_url=False, include_input=False)[:_FAULTS]
    return "; ".join(": ".join([*map(str, fault["loc"][:1]), fault["msg"]]) for fault in found)


def _batches(data: bytes) -> Iterator[Batch]:
    at = 0
    while at < len(data):
        length = header_at(data, at).length
        yield decode(data[at : at + length])
        at += length
