"""How often each series has a value, and what its newest one is: found from its minutes alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from predictor.arrays import Floats
from predictor.grid import BEATS_MS
from predictor.lookup import Lookup

COUNTED = 8
"""Newest intervals between values that are looked at."""
_MOST, _FEW = (
    5,
    2,
)  # places of the sorted intervals: six of eight are at most, or at least, as long as the one there
_SLACK = 1.25  # an interval may be so much longer than usual before its value is old
_BEATS = np.array(BEATS_MS)

Saved = dict[str, NDArray[np.int64] | NDArray[np.uint64] | Floats]


@dataclass(frozen=True, slots=True)
class Moved:
    """A series that goes to beats of another length, milliseconds."""

    series: int
    before_ms: int  # 0: it is new
    beat_ms: int


class Steps:
    """Assigns each series the shortest beat that its values come as often as.

    A series moves when six of its last eight intervals call for beats on the same side of its own, so an outage or a
    second value within a beat moves nothing. Until its second value tells its first interval, a new one is in none.
    """

    def __init__(self) -> None:
        self.ids = np.array([], dtype=np.uint64)
        self.beats_ms = np.array([], dtype=np.int64)  # [series]; 0 of one that has had one value only
        self._rows: dict[int, int] = {}
        self._rows_of = Lookup(self._found)
        self._last_ms = np.array([], dtype=np.int64)  # end of the newest minute
        self._last = np.array([], dtype=np.float32)
        self._intervals = np.zeros((COUNTED, 0), dtype=np.int64)  # a ring, milliseconds; 0 for none yet
        self._oldest = np.array([], dtype=np.intp)  # its place, by series

    def take(self, minute: Batch) -> list[Moved]:
        """Take in a record of `minutes`; returns who moves. What is older than a series' newest minute counts not."""
        rows = self._rows_of(minute.series)
        means, end_ms = minute.numbers("mean"), minute.time_ms
        corrected = (self._last_ms[rows] <= end_ms) & np.isfinite(means)
        newer = rows[(self._last_ms[rows] < end_ms) & corrected & (self._last_ms[rows] >= 0)]
        changed = self._count(newer, end_ms - self._last_ms[newer])
        self._last[rows[corrected]] = means[corrected]
        self._last_ms[rows[corrected]] = end_ms
        return self._move(changed) if len(changed) else []

    def _count(self, rows: NDArray[np.intp], intervals: NDArray[np.int64]) -> NDArray[np.intp]:
        """The oldest interval of each row makes room; the first one counts as all. Returns whose are others now."""
        place = self._oldest[rows]
        before = self._intervals[place, rows]
        self._intervals[place, rows] = intervals
        self._oldest[rows] = (place + 1) % COUNTED
        changed = before != intervals
        if (first := before == 0).any():
            self._intervals[:, rows[first]] = intervals[first]
        return np.asarray(rows[changed])

    def beats_of(self, series: NDArray[np.uint64]) -> NDArray[np.int64]:
        return np.asarray(self.beats_ms[self._rows_of(series)])

    def newest(self, rows: NDArray[np.intp], now_ms: int) -> Floats:
        """The newest value of each row; NaN where one is overdue."""
        usual = np.maximum(np.sort(self._intervals[:, rows], axis=0)[_MOST], MINUTE_MS)
        age = now_ms - self._last_ms[rows]
        return np.where(age <= _SLACK * usual - MINUTE_MS, self._last[rows], np.float32(np.nan))

    def save(self) -> Saved:
        return {
            "ids": self.ids,
            "beats_ms": self.beats_ms,
            "last_ms": self._last_ms,
            "last": self._last,
            "intervals": self._intervals,
            "oldest": self._oldest,
        }

    def load(self, saved: Saved) -> None:
        self.ids = saved["ids"].astype(np.uint64)
        self.beats_ms, self._last_ms = saved["beats_ms"].astype(np.int64), saved["last_ms"].astype(np.int64)
        self._last, self._intervals = saved["last"].astype(np.float32), saved["intervals"].astype(np.int64)
        self._oldest = saved["oldest"].astype(np.intp)
        self._rows = {int(series): row for row, series in enumerate(self.ids)}
        self._rows_of = Lookup(self._found)

    def _move(self, rows: NDArray[np.intp]) -> list[Moved]:
        intervals = np.sort(self._intervals[:, rows], axis=0)
        now = self.beats_ms[rows]
        longer, shorter = _fitting(intervals[_FEW]), _fitting(intervals[_MOST])
        wanted = np.where(longer > now, longer, np.minimum(shorter, now))
        self.beats_ms[rows] = wanted
        moved = np.flatnonzero(wanted != now)
        return [Moved(int(self.ids[rows[i]]), int(now[i]), int(wanted[i])) for i in moved]

    def _found(self, series: list[int]) -> NDArray[np.intp]:
        new = [one for one in dict.fromkeys(series) if one not in self._rows]
        self._rows |= {one: len(self._rows) + n for n, one in enumerate(new)}
        self.ids = np.append(self.ids, np.array(new, dtype=np.uint64))
        self.beats_ms = np.append(self.beats_ms, np.zeros(len(new), dtype=np.int64))
        self._last_ms = np.append(self._last_ms, np.full(len(new), -1))
        self._last = np.append(self._last, np.full(len(new), np.nan, dtype=np.float32))
        self._intervals = np.pad(self._intervals, ((0, 0), (0, len(new))))
        self._oldest = np.append(self._oldest, np.zeros(len(new), dtype=np.intp))
        return np.array([self._rows[one] for one in series], dtype=np.intp)


def _fitting(intervals_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """The shortest beat that is not shorter; values that come less often than the longest leave gaps in it."""
    return np.asarray(_BEATS[np.minimum(np.searchsorted(_BEATS, intervals_ms), len(_BEATS) - 1)])
