"""The slow scale-down: hold the largest need of a window and what is needed again soon, let go at most so much within
any period. Each gives a least value, and the largest of them counts: none works on what another left.

Time without knowledge counts as holding: the HPA keeps its size on an error, and the first values after an outage
may be too small (a rate whose range is not full yet).
"""

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import MINUTE_MS
from predictor.decide.rules import Doubles, Rules
from predictor.lookup import Lookup

BINS = 60
"""A window is kept as so many maxima, plus the one that is filling: a value counts for the window and at most a
sixtieth of it more, never less."""

GAP_MS = 3 * MINUTE_MS
"""Between two decisions: what was served was kept for so long, be it a downtime or a clock that was set."""


class WindowMax:
    """The largest value of each row within its own sliding window."""

    def __init__(self, window_ms: NDArray[np.int64]) -> None:
        rows = len(window_ms)
        self._rows = np.arange(rows)
        self._bin_ms = np.maximum(1, window_ms // BINS)
        self._windowed = window_ms > 0
        self._largest = np.full((BINS + 1, rows), -np.inf)
        self._bin = np.full((BINS + 1, rows), -1, dtype=np.int64)

    def push(self, now_ms: int, values: Doubles) -> None:
        """Take in a value per row; NaN is none."""
        current = now_ms // self._bin_ms
        place = current % (BINS + 1), self._rows
        before = np.where(self._bin[place] == current, self._largest[place], -np.inf)
        self._largest[place] = largest = np.fmax(before, values)
        self._bin[place] = np.where(largest > -np.inf, current, -1)

    def largest(self, now_ms: int) -> Doubles:
        """-inf where the window holds nothing."""
        # Also what lies a little ahead, for a clock may have been set back.
        within = (np.abs(self._bin - now_ms // self._bin_ms) <= BINS) & self._windowed
        return np.asarray(np.where(within, self._largest, -np.inf).max(axis=0, initial=-np.inf))


class SlowScaleDown:
    """State of all signal rows of some rules."""

    def __init__(self, rules: Rules) -> None:
        row_of = {series: row for row, series in enumerate(rules.signal_ids.tolist())}
        self._rows_of = Lookup(lambda ids: np.array([row_of.get(one, -1) for one in ids], dtype=np.intp))
        self._needs, self._served = WindowMax(rules.window_ms), WindowMax(rules.period_ms)
        self._last = np.full(len(rules.signal_ids), np.nan)  # served
        self._share = rules.share
        self._now_ms = 0

    def hold(self, now_ms: int, need: Doubles) -> Doubles:
        """Take in the needs (NaN: unknown) and return the largest of each row's window, `need` included."""
        if abs(now_ms - self._now_ms) > GAP_MS:
            self._needs.push(now_ms, self._last)
            self._served.push(now_ms, self._last)
        self._now_ms = now_ms
        self._needs.push(now_ms, self._or_last(need))
        return np.asarray(np.fmax(need, self._needs.largest(now_ms)))

    def limit(self, now_ms: int, saturated: NDArray[np.bool_]) -> Doubles:
        """The least value that may be served now: so much less than the largest served within the period, and where
        `saturated` not less than the last."""
        largest = self._served.largest(now_ms)
        least = np.where(np.isfinite(largest), largest, 0.0) * (1 - self._share)
        return np.where(saturated, np.fmax(least, self._last), least)

    def keep(self, again: Doubles) -> Doubles:
        """What was served last, as far as so much is needed `again`; -inf where nothing is known of either."""
        return np.asarray(np.fmax(np.minimum(self._last, again), -np.inf))

    def serve(self, now_ms: int, value: Doubles) -> None:
        """Remember what was served (NaN: nothing, so that whoever asked kept what he had)."""
        self._last = self._or_last(value)
        self._served.push(now_ms, self._last)

    def recall(self, now_ms: int, series: NDArray[np.uint64], need: Doubles, served: Doubles) -> None:
        """Take in a decision of the past, oldest first, as if it were made now: how a restart gets its memory."""
        needs, values = np.full(len(self._last), np.nan), np.full(len(self._last), np.nan)
        rows = self._rows_of(series)
        known = rows >= 0
        needs[rows[known]], values[rows[known]] = need[known], served[known]
        first = np.isnan(self._last)
        self.hold(now_ms, needs)
        # What was before is not told, but what it left is: a gap may have ended here that is yet to be held.
        self._needs.push(now_ms, np.where(first, values, np.nan))
        self.serve(now_ms, values)

    def _or_last(self, values: Doubles) -> Doubles:
        return np.where(np.isfinite(values), values, self._last)
