"""Fields of a policy that are written in a form of their own: how each is read, refused, written and described."""

import re
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from cme.core.cron import cron_problem
from cme.core.durations import HOUR_MS, WRITTEN, format_duration, parse_duration
from cme.core.identity import SIGNAL_NAME, signal_name_problem
from cme.core.quantity import format_quantity, parse_quantity

LONGEST_LEAD_MS = 6 * HOUR_MS
AUTO: Literal["auto"] = "auto"
_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


def _checked(problem: str | None, value: Any) -> Any:
    if problem:
        raise ValueError(problem)
    return value


def _dns_name(value: str) -> str:
    bad = None if _DNS_NAME.fullmatch(value) else f"{value!r} is not a Kubernetes name (a-z, 0-9, - and .)"
    return str(_checked(bad, value))


_zones = cache(available_timezones)  # which looks through a thousand files


def _zone(value: str) -> str:
    known = value in _zones()
    return str(_checked(None if known else f"{value!r} is no IANA time zone, like Europe/Berlin", value))


def _day(value: object) -> object:
    """Only what is written as a date: pydantic would read a number as seconds since 1970."""
    written = isinstance(value, date) or (isinstance(value, str) and _DATE.fullmatch(value))
    return _checked(None if written else f"{value!r} is not a date, like 2026-12-25", value)


def _amount(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not a quantity")
    milli = parse_quantity(str(value))
    return float(_checked(None if milli > 0 else "must be more than 0", milli)) / 1000


Zone = Annotated[str, AfterValidator(_zone)]
Day = Annotated[date, BeforeValidator(_day)]
Cron = Annotated[str, AfterValidator(lambda v: _checked(cron_problem(v), v))]
Replicas = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[
    str,
    AfterValidator(_dns_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_DNS_NAME.pattern}$", "maxLength": 253}),
]
Amount = Annotated[
    float,
    BeforeValidator(_amount),
    PlainSerializer(lambda v: format_quantity(round(v * 1000)), return_type=str),
    WithJsonSchema({"type": ["integer", "string"]}),
]
"""A positive Kubernetes quantity (`120`, `1500m`, `20k`), a float in the program."""


def _share(value: object) -> float:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    bad = (
        None
        if match and 0 < float(match[1]) < 100
        else f"{value!r} must be a share between 0% and 100%, like 1%"
    )
    return float(_checked(bad, match and match[1])) / 100


Share = Annotated[
    float,
    BeforeValidator(_share),
    PlainSerializer(lambda v: f"{v * 100:.10g}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_PERCENT.pattern}$"}),
]
"""A percentage (`1%`), a fraction of 1 in the program."""


SignalName = Annotated[
    str,
    AfterValidator(lambda v: _checked(signal_name_problem(v), v)),
    WithJsonSchema({"type": "string", "pattern": f"^{SIGNAL_NAME.pattern}$"}),
]


def _lead(value: object) -> int | Literal["auto"]:
    if value == AUTO:
        return AUTO
    lead = parse_duration(value)
    if not 0 < lead <= LONGEST_LEAD_MS:
        raise ValueError(f"lead must be auto, or above 0 and at most {format_duration(LONGEST_LEAD_MS)}")
    return lead


Lead = Annotated[
    int | Literal["auto"],
    BeforeValidator(_lead),
    PlainSerializer(lambda v: v if v == AUTO else format_duration(v), return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^({AUTO}|{WRITTEN})$"}),
]
"""A duration, milliseconds in the program, or `auto`: it is learnt."""


Decrease = Annotated[str, WithJsonSchema({"type": "string", "pattern": rf"^\d+(\.\d+)?%/{WRITTEN}$"})]
"""A share per period, like 10%/1m."""
