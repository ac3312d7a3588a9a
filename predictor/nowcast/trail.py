"""The newest ticks and minutes of some series, as a nowcast looks at them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import MINUTE_MS
from cme.core.policy import SOON_MS
from predictor.nowcast.sight import BACK_MS, WINDOWS, Doubles

_KEPT_MS = SOON_MS + max(BACK_MS)
LEAST_KNOWN = 0.8
"""Of the ticks of a lead time so many must have told a load, for the largest of them to be the truth."""


@dataclass(frozen=True)
class Tick:
    """`loads` [series]: NaN where stale or unknown; `truths`: also where the load was a lower bound only."""

    time_ms: int
    loads: Doubles
    truths: Doubles


@dataclass(frozen=True)
class Minute:
    """[series]: NaN where unknown."""

    end_ms: int
    mean: Doubles
    largest: Doubles


class Trail:
    """All is of the same series, which only become more. A clock that was set back begins it anew."""

    def __init__(self) -> None:
        self._ticks: deque[Tick] = deque()
        self._minutes: deque[Minute] = deque()

    def grow(self, count: int) -> None:
        """Take in new series, of which nothing is known."""
        new = np.full(count, np.nan)
        ticks = (
            replace(one, loads=np.append(one.loads, new), truths=np.append(one.truths, new))
            for one in self._ticks
        )
        minutes = (
            replace(one, mean=np.append(one.mean, new), largest=np.append(one.largest, new))
            for one in self._minutes
        )
        self._ticks, self._minutes = deque(ticks), deque(minutes)

    def take_tick(self, tick: Tick) -> None:
        if self._ticks and tick.time_ms < self._ticks[-1].time_ms:
            self._ticks.clear()
        self._ticks.append(tick)
        while self._ticks[0].time_ms < tick.time_ms - _KEPT_MS:
            self._ticks.popleft()

    def take_minute(self, minute: Minute) -> None:
        """One that comes again, corrected, changes nothing."""
        if self._minutes and minute.end_ms < self._minutes[-1].end_ms - MINUTE_MS:
            self._minutes.clear()
        if not self._minutes or minute.end_ms > self._minutes[-1].end_ms:
            self._minutes.append(minute)
        while self._minutes[0].end_ms <= minute.end_ms - MINUTE_MS * max(WINDOWS):
            self._minutes.popleft()

    def save(self) -> dict[str, NDArray[Any]]:
        ticks, minutes = self._ticks, self._minutes
        return {
            "trail.ticks_ms": np.array([one.time_ms for one in ticks], dtype=np.int64),
            "trail.loads": np.array([one.loads for one in ticks]),
            "trail.truths": np.array([one.truths for one in ticks]),
            "trail.minutes_ms": np.array([one.end_ms for one in minutes], dtype=np.int64),
            "trail.means": np.array([one.mean for one in minutes]),
            "trail.largest": np.array([one.largest for one in minutes]),
        }

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Raises KeyError when something is missing."""
        ticks = (saved["trail.ticks_ms"].tolist(), saved["trail.loads"], saved["trail.truths"])
        minutes = (saved["trail.minutes_ms"].tolist(), saved["trail.means"], saved["trail.largest"])
        self._ticks = deque(Tick(*one) for one in zip(*ticks, strict=True))
        self._minutes = deque(Minute(*one) for one in zip(*minutes, strict=True))

    def back(self, now_ms: int) -> Doubles:
        """[BACK_MS, series]: what was newest then. At least one tick was taken in."""
        return np.stack([self._at(now_ms - back) for back in BACK_MS])

    def windows(self) -> tuple[Doubles, Doubles]:
        """Mean and largest load of the newest minutes, [WINDOWS, series] each, of those that are known."""
        if not self._minutes:
            unknown = np.full((len(WINDOWS), len(self._ticks[-1].loads)), np.nan)
            return unknown, unknown
        within = [
            [one for one in self._minutes if one.end_ms > self._minutes[-1].end_ms - MINUTE_MS * minutes]
            for minutes in WINDOWS
        ]
        means = [_mean([one.mean for one in minutes]) for minutes in within]
        largest = [np.fmax.reduce([one.largest for one in minutes]) for minutes in within]
        return np.stack(means), np.stack(largest)

    def largest_since(self, since_ms: int) -> Doubles:
        """[series]: of the ticks within SOON_MS after a moment; NaN where too few tell a truth."""
        truths = [one.truths for one in self._ticks if since_ms < one.time_ms <= since_ms + SOON_MS]
        if not truths:
            return np.full(len(self._ticks[-1].loads), np.nan)
        known = np.isfinite(truths).mean(axis=0)
        return np.asarray(np.where(known >= LEAST_KNOWN, np.fmax.reduce(truths), np.nan))

    def _at(self, time_ms: int) -> Doubles:
        for one in reversed(self._ticks):
            if one.time_ms <= time_ms:
                return one.loads
        return np.full(len(self._ticks[-1].loads), np.nan)


def _mean(rows: list[Doubles]) -> Doubles:
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    amount = np.where(known, rows, 0).sum(axis=0)
    return np.asarray(np.divide(amount, count, out=np.full(len(count), np.nan), where=count > 0))
