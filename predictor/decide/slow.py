"""The slow scale-down: hold the largest need of a window, then let go at most so much per period."""

import numpy as np
from numpy.typing import NDArray

from predictor.decide.rules import Doubles, Rules

BINS = 60
"""A window is kept as so many maxima, plus the one that is filling: a need is held for the window and at most
a sixtieth of it more, never less."""


class SlowScaleDown:
    """State of all signal rows of some rules."""

    def __init__(self, rules: Rules) -> None:
        rows = len(rules.signal_ids)
        self._row_of = {int(series): row for row, series in enumerate(rules.signal_ids)}
        self._bin_ms = np.maximum(1, rules.window_ms // BINS)
        self._windowed = rules.window_ms > 0
        self._share, self._period_ms = rules.share, rules.period_ms
        self._largest = np.full((BINS + 1, rows), -np.inf)
        self._bin = np.full((BINS + 1, rows), -1, dtype=np.int64)
        self._anchor = np.zeros(rows)  # the value that this period's decrease counts from
        self._anchor_ms = np.zeros(rows, dtype=np.int64)
        self._served = np.zeros(rows)

    def hold(self, now_ms: int, need: Doubles) -> Doubles:
        """Take in the needs (NaN: unknown) and return the largest of each row's window, `need` included."""
        current = now_ms // self._bin_ms
        slot, known = current % (BINS + 1), np.isfinite(need)
        rows = np.arange(len(need))
        same = self._bin[slot, rows] == current
        larger = np.where(same, np.maximum(self._largest[slot, rows], need), need)
        self._largest[slot, rows] = np.where(known, larger, self._largest[slot, rows])
        self._bin[slot, rows] = np.where(known, current, self._bin[slot, rows])
        within = (self._bin >= current - BINS) & self._windowed
        largest = np.where(within, self._largest, -np.inf).max(axis=0, initial=-np.inf)
        return np.asarray(np.fmax(need, largest))

    def limit(self, now_ms: int) -> Doubles:
        """The least value that may be served now."""
        due = now_ms - self._anchor_ms >= self._period_ms
        self._anchor = np.where(due, self._served, self._anchor)
        self._anchor_ms = np.where(due, now_ms, self._anchor_ms)
        return np.where(self._share < 1, self._anchor * (1 - self._share), 0.0)

    def serve(self, now_ms: int, value: Doubles) -> None:
        """Remember what was served (NaN: nothing); a rise starts a new period."""
        known = np.isfinite(value)
        self._served = np.where(known, value, self._served)
        rise = known & (value >= self._anchor)
        self._anchor = np.where(rise, value, self._anchor)
        self._anchor_ms = np.where(rise, now_ms, self._anchor_ms)

    def recall(self, now_ms: int, series: NDArray[np.uint64], need: Doubles, served: Doubles) -> None:
        """Take in a decision of the past, oldest first, as if it were made now: how a restart gets its memory."""
        needs, values = np.full(len(self._served), np.nan), np.full(len(self._served), np.nan)
        for position, one in enumerate(series):
            if (row := self._row_of.get(int(one))) is not None:
                needs[row], values[row] = need[position], served[position]
        self.hold(now_ms, needs)
        self.limit(now_ms)
        self.serve(now_ms, values)
