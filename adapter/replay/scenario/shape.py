"""How a load goes over the day: values that hold until a time of day, and straight lines between them."""

import re
from dataclasses import dataclass

import numpy as np

from adapter.replay.load import Doubles
from adapter.replay.scenario.clock import seconds_of
from adapter.replay.scenario.lines import refused
from cme.core.quantity import parse_quantity

DAY_S = 86_400
_LIKE = "write it like 500 until 08:00, rises to 4000 by 09:00, 4000 until 20:00, falls to 500 by 22:00"
_HOLD = re.compile(r"(\S+)(?: until (\S+))?")
_LINE = re.compile(r"(rises|falls) to (\S+) by (\S+)")
_NOISE = re.compile(r"varies by (\S+) %")
MOST_NOISE = 0.9


@dataclass(frozen=True, slots=True)
class Shape:
    """Corners of a line over the seconds of a day, and by which share at most each minute is beside it."""

    seconds: tuple[float, ...]
    values: tuple[float, ...]
    noise: float = 0.0

    def at(self, seconds: Doubles) -> Doubles:
        """At seconds of a day; at a corner where the line jumps, either."""
        return np.interp(seconds, self.seconds, self.values)

    @property
    def most(self) -> float:
        return max(self.values) * (1 + self.noise)


def parse_shape(text: str) -> Shape:
    """Raises InvalidInput."""
    parts = [part.strip() for part in text.split(",")]
    noise = _NOISE.fullmatch(parts[-1])
    corners = [(0.0, _first(parts[0]))]
    for number, part in enumerate(parts[:-1] if noise else parts):
        if corners[-1][0] >= DAY_S:
            raise refused(f"{part!r} is behind the end of the day", "let the part before it end earlier")
        corners += _corners(part, *corners[-1], number)
    corners.append((DAY_S, corners[-1][1]))
    seconds, values = zip(*corners, strict=True)
    return Shape(seconds, values, _noise(noise[1]) if noise else 0.0)


def _first(part: str) -> float:
    match = _HOLD.fullmatch(part)
    if match is None:
        raise refused(f"the load begins with {part!r}", _LIKE)
    return number_of(match[1])


def _corners(part: str, since: float, before: float, number: int) -> list[tuple[float, float]]:
    """What a part adds to the line that has come to `before`."""
    if line := _LINE.fullmatch(part):
        value, until = number_of(line[2]), _later(line[3], since)
        if (value > before) != (line[1] == "rises") or value == before:
            raise refused(
                f"from {before:g} it neither rises nor falls so: {part!r}", "correct the word or the number"
            )
        return [(until, value)]
    hold = _HOLD.fullmatch(part)
    if hold is None:
        raise refused(f"{part!r} is no part of a load", _LIKE)
    value, until = number_of(hold[1]), DAY_S if hold[2] is None else _later(hold[2], since)
    return [(since, value), (until, value)] if number else [(until, value)]


def _later(text: str, since: float) -> float:
    until = seconds_of(text)
    if until <= since:
        raise refused(f"{text} is not behind the time before it", "write the parts in the order of the day")
    return until


def _noise(text: str) -> float:
    share = number_of(text) / 100
    if share > MOST_NOISE:
        raise refused(f"a load can't vary by {text} %", f"write at most {MOST_NOISE * 100:g} %")
    return share


def number_of(text: str) -> float:
    """A Kubernetes quantity like 500, 0.5 or 4k, not negative. Raises InvalidInput."""
    milli = parse_quantity(text)
    if milli < 0:
        raise refused(f"{text!r} is below 0", "write 0 or more")
    return milli / 1000


def amount_of(text: str) -> float:
    """The same, and not 0. Raises InvalidInput."""
    number = number_of(text)
    if not number:
        raise refused(f"{text!r} is nothing", "write more than 0")
    return number


def whole_of(text: str, least: int, most: int) -> int:
    """Raises InvalidInput."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise refused(f"{text!r} is not a whole number from {least} to {most}", "write one")
    return int(text)
