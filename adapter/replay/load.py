"""The load of one workload over a past: its signals, constant within a step."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import MINUTE_MS

Doubles = NDArray[np.float64]
Times = NDArray[np.int64]

LEAST_KNOWN = 0.8
"""Of a span that is averaged over, so much must be known: as of the parts of a sum."""


@dataclass(frozen=True)
class Load:
    """`values` [signal, step] in the signals' units, NaN where unknown; the first step starts at `start_ms`. `maxima` are
    the largest of each step, where more is known than its mean."""

    start_ms: int
    step_ms: int
    values: Doubles
    maxima: Doubles | None = None

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.step_ms * int(self.values.shape[1])

    @cached_property
    def edges_ms(self) -> Times:
        """[step + 1]: where steps begin and the last one ends."""
        return self.start_ms + self.step_ms * np.arange(self.values.shape[1] + 1)

    def mean(self, until_ms: Times, span_ms: int) -> Doubles:
        """[signal, time]: the mean over (until - span, until]; NaN where too little of it is known."""
        amount, known = self._within(until_ms, span_ms)
        enough = known >= LEAST_KNOWN * span_ms
        return np.asarray(np.divide(amount, known, out=np.full(amount.shape, np.nan), where=enough))

    def largest(self, until_ms: Times, span_ms: int) -> Doubles:
        """[signal, time]: the largest value within (until - span, until]; NaN where none is known."""
        first = (until_ms - span_ms - self.start_ms) // self.step_ms
        last = (until_ms - 1 - self.start_ms) // self.step_ms
        maxima = self.values if self.maxima is None else self.maxima
        found = np.full((len(maxima), len(until_ms)), np.nan)
        for back in range(int((last - first).max(initial=-1)) + 1):
            at = np.maximum(first, last - back)
            inside = (at >= 0) & (at < self.values.shape[1])
            found[:, inside] = np.fmax(found[:, inside], maxima[:, at[inside]])
        return found

    def _within(self, until_ms: Times, span_ms: int) -> tuple[Doubles, Doubles]:
        """Value times milliseconds, and known milliseconds, of (until - span, until]: [signal, time]."""
        return self._until(until_ms, 0) - self._until(until_ms - span_ms, 0), self._until(
            until_ms, 1
        ) - self._until(until_ms - span_ms, 1)

    def _until(self, times_ms: Times, which: int) -> Doubles:
        return np.stack([np.interp(times_ms, self.edges_ms, row) for row in self._sums[which]])

    @cached_property
    def _sums(self) -> tuple[Doubles, Doubles]:
        """[signal, edge]: value times milliseconds, and known milliseconds, since the start."""
        known = np.isfinite(self.values)
        parts = np.where(known, self.values, 0), known
        first, second = (
            np.pad(np.cumsum(part, axis=1, dtype=float) * self.step_ms, ((0, 0), (1, 0))) for part in parts
        )
        return first, second


def minutes_of(load: Load) -> Times:
    """The ends of the whole minutes of a load."""
    first = -(-load.start_ms // MINUTE_MS) * MINUTE_MS + MINUTE_MS
    return np.arange(first, load.end_ms + 1, MINUTE_MS)
