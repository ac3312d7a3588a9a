"""What schedules say of each minute, found by walking the minutes: plain, slow, and without the program's own parts.

Lists are by minute from the first of the walk; nothing is known of what was before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

DAY = 24 * 60
INFINITE = float("inf")


def parse(text: str, low: int, high: int) -> set[int]:
    """The numbers of one field: `*`, `*/5`, `1-5`, `0,30`."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin, end = (low, high) if span == "*" else (int(first), int(last or first))
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


@dataclass(frozen=True)
class Expression:
    text: str

    @cached_property
    def fields(self) -> list[set[int]]:
        spans = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
        return [parse(text, *span) for text, span in zip(self.text.split(), spans, strict=True)]

    @cached_property
    def fixed(self) -> bool:
        """Whether it means times of day."""
        minute, hour, *_ = self.text.split()
        return not minute.startswith("*") and not hour.startswith("*")

    def on(self, day: date) -> bool:
        _, _, days, months, weekdays = self.fields
        _, _, by_day, _, by_weekday = self.text.split()
        in_month, in_week = day.day in days, bool({day.isoweekday(), day.isoweekday() % 7} & weekdays)
        either = not by_day.startswith("*") and not by_weekday.startswith("*")
        return day.month in months and (in_month or in_week if either else in_month and in_week)

    def at(self, number: int) -> bool:
        """Whether it names a minute of the wall clock, counted since the year 1."""
        ordinal, minute = divmod(number, DAY)
        minutes, hours, *_ = self.fields
        return minute % 60 in minutes and minute // 60 in hours and self.on(date.fromordinal(ordinal))


class Walk:
    """Minutes of the wall clock in a zone, from a minute since 1970 on."""

    def __init__(self, zone: str, first: int, count: int) -> None:
        local, self.walls, self.days = ZoneInfo(zone), [], []
        for minute in range(first, first + count):
            moment = datetime.fromtimestamp(minute * 60, local)
            self.walls.append(moment.toordinal() * DAY + moment.hour * 60 + moment.minute)
            self.days.append(moment.toordinal())

    def happens(self, text: str) -> list[bool]:
        """When an expression happens: a time of day when the clock first reaches or passes it, else as it shows."""
        expression, reached, found = Expression(text), self.walls[0] - 1, []
        for wall in self.walls:
            passed = range(reached + 1, wall + 1) if expression.fixed else (wall,)
            found.append(any(expression.at(one) for one in passed))
            reached = max(reached, wall)
        return found


@dataclass
class Held:
    """When a schedule starts, and holds."""

    starts: list[bool]
    holds: list[bool]


def held(walk: Walk, schedule: Mapping[str, Any], off: set[int]) -> Held:
    """`duration` in minutes; `off` are ordinals of days on which it does not start."""
    starts = [s and day not in off for s, day in zip(walk.happens(schedule["start"]), walk.days, strict=True)]
    ends = walk.happens(schedule["end"]) if "end" in schedule else [False] * len(starts)
    on, until, holds = False, 0, []
    for minute, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end or ("duration" in schedule and minute == until):
            on = False
        if start:
            on, until = True, minute + schedule.get("duration", 0)
        holds.append(on)
    return Held(starts, holds)


def floors(found: Held, replicas: int, lead: int, ramp: int) -> list[int]:
    """A schedule's floor with its lead and ramp in minutes."""
    floor, until = [], lead + ramp + 1  # minutes to the next start
    for minute in reversed(range(len(found.starts))):
        ahead = until - lead
        risen = -(-replicas * (ramp - ahead) // ramp) if ramp and 0 < ahead < ramp else 0
        floor.append(replicas if found.holds[minute] or ahead <= 0 else risen)
        until = 1 if found.starts[minute] else until + 1
    return floor[::-1]


def bounds(
    schedules: Sequence[tuple[Walk, Mapping[str, Any]]], off: set[int], lead: int
) -> list[tuple[int, float]]:
    """The floor and the ceiling of all schedules, each with the walk in its own zone."""
    every = [(held(walk, one, off if one.get("skip") else set()), one) for walk, one in schedules]
    low = [floors(found, one.get("min", 0), lead, one.get("ramp", 0)) for found, one in every]
    high = [[one.get("max", INFINITE) if on else INFINITE for on in found.holds] for found, one in every]
    both = [(max(f), min(c)) for f, c in zip(zip(*low, strict=True), zip(*high, strict=True), strict=True)]
    return [(floor, max(floor, ceiling)) for floor, ceiling in both]
