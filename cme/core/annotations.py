"""What people ask of a policy for a time, written as annotations of its metadata: strings, as Kubernetes wants them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from cme.core.documents import Document

PREFIX = "tidecast.dev/"
PAUSE, FORCE_RAW, PIN = (f"{PREFIX}{name}" for name in ("pause", "force-raw", "pin"))
_PIN = re.compile(r"(\d{1,9}) until (\S+)")
_PIN_LIKE = "like '40 until 2026-11-29T08:00:00Z'"


@dataclass(frozen=True, slots=True)
class Pin:
    """So many replicas until a moment."""

    replicas: int
    until_ms: int

    def __str__(self) -> str:
        return f"{self.replicas} until {datetime.fromtimestamp(self.until_ms / 1000, UTC).isoformat()}"


def _switch(value: object) -> bool:
    if value not in ("true", "false"):
        raise ValueError(f"{value!r} is neither 'true' nor 'false', in quotes")
    return value == "true"


def _pin(value: object) -> Pin | None:
    if value is None:
        return None
    match = _PIN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a number of replicas and a time, {_PIN_LIKE}")
    try:
        until = datetime.fromisoformat(match[2])
    except ValueError:
        raise ValueError(f"{match[2]!r} is not a time; write it {_PIN_LIKE}") from None
    if until.tzinfo is None:
        raise ValueError(f"{match[2]!r} has no time zone; write it {_PIN_LIKE}")
    return Pin(int(match[1]), round(until.timestamp() * 1000))


Switch = Annotated[
    bool, BeforeValidator(_switch), PlainSerializer(lambda on: "true" if on else "false", return_type=str)
]
Pinned = Annotated[
    Pin | None,
    BeforeValidator(_pin),
    PlainSerializer(lambda pin: pin and str(pin), return_type=str | None),
]


class Annotations(Document):
    """Those of tidecast; others, which people and programs write, are left alone."""

    # By their full names alone: a stranger's annotation may be called pause.
    model_config = ConfigDict(extra="ignore", populate_by_name=False)

    pause: Switch = Field(default=False, alias=PAUSE)
    force_raw: Switch = Field(default=False, alias=FORCE_RAW)
    pin: Pinned = Field(default=None, alias=PIN)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            strange = {str(key) for key in given if str(key).startswith(PREFIX)} - {PAUSE, FORCE_RAW, PIN}
            if strange:
                raise ValueError(
                    f"there is no annotation {min(strange)}; there are {PAUSE}, {FORCE_RAW}, {PIN}"
                )
        return given
