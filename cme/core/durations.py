"""Durations as people write them (`90s`, `1h30m`, `14d`) and as we keep them: integer milliseconds."""

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PART = re.compile(r"(\d+)(ms|[smhd])")
WRITTEN = r"(\d+(ms|[smhd]))+"
"""How a duration is written."""
_WHOLE = re.compile(WRITTEN)

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
LONGEST_MS = 36_500 * DAY_MS
"""Longer than anything that is kept, and short enough for every sum of times."""


def parse_duration(text: object) -> int:
    """Milliseconds of a duration such as `10m` or `1h30m`.

    Raises ValueError (pydantic names the field) for anything else, a bare number included: a number
    without a unit has been read as seconds by one tool and as milliseconds by the next.
    """
    if isinstance(text, str) and _WHOLE.fullmatch(text):
        ms = sum(int(n) * _UNITS_MS[unit] for n, unit in _PART.findall(text))
        if ms > LONGEST_MS:
            raise ValueError(f"{text!r} is too long; a duration is at most {format_duration(LONGEST_MS)}")
        return ms
    raise ValueError(
        f"{text!r} is not a duration; write a whole number with a unit, like 90s, 10m, 1h30m or 14d"
    )


def format_duration(ms: int) -> str:
    """The shortest text that `parse_duration` reads back as `ms`."""
    if ms < 0:
        raise ValueError(f"a duration can't be negative: {ms} ms")
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, ms = divmod(ms, _UNITS_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{WRITTEN}$"}),
]
"""Pydantic field: a duration in a document, milliseconds in the program."""
