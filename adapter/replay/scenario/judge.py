"""What of a run is not as it was expected."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapter.replay.scenario.expectation import READY, REPLICAS
from adapter.replay.scenario.figures import FIGURES
from adapter.replay.scenario.lines import Line
from adapter.replay.scenario.play import Moment, Played
from adapter.replay.scenario.scenario import Expected, Scenario

AROUND = (-20, -8, -4, -1, 0, 1, 4, 8)
"""Syncs around one that is not as expected."""


@dataclass(frozen=True)
class Failure:
    """`found` in words; of a moment that moment, and some around it."""

    line: Line
    found: str
    moment: Moment | None = None
    around: Sequence[Moment] = ()


def failures(scenario: Scenario, played: Played) -> list[Failure]:
    """In the order of the file."""
    found = [*_at_times(scenario, played.moments), *_in_total(scenario, played)]
    return sorted(found, key=lambda failure: failure.line.number)


def _at_times(scenario: Scenario, moments: Sequence[Moment]) -> Iterator[Failure]:
    times = [moment.now_ms for moment in moments]
    for expected in scenario.expectations:
        places = _places(expected, times)
        wrong = next((place for place in places if not _holds(expected, moments[place])), None)
        if wrong is not None:
            number = number_of(expected.unit, moments[wrong])
            around = [moments[wrong + by] for by in AROUND if 0 <= wrong + by < len(moments)]
            yield Failure(expected.line, f"{number:g} {expected.unit}", moments[wrong], around)


def _places(expected: Expected, times_ms: Sequence[int]) -> range:
    """Of the syncs that are meant: at least one."""
    if expected.until_ms is None:
        newest = bisect_right(times_ms, expected.since_ms) - 1
        return range(newest, newest + 1)
    return range(bisect_left(times_ms, expected.since_ms), bisect_left(times_ms, expected.until_ms))


def _holds(expected: Expected, moment: Moment) -> bool:
    return expected.bound.holds(number_of(expected.unit, moment)) and expected.because.holds(moment.reasons)


def number_of(unit: str, moment: Moment) -> float:
    if unit == REPLICAS:
        return moment.replicas
    return moment.ready if unit == READY else moment.values[unit]


def _in_total(scenario: Scenario, played: Played) -> Iterator[Failure]:
    for line, total in scenario.totals:
        number = FIGURES[total.figure](played.whole)
        if not total.bound.holds(number):
            yield Failure(line, f"{number:.6g} {total.figure}")
