"""From minutes to an engine's beats, and to the largest value of the one that is open."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.core.readings import Flag
from predictor.arrays import Floats, Known
from predictor.engine import beat_of
from predictor.grid import BEAT_MS
from predictor.history import Bin
from predictor.lookup import Lookup, Rows


class ClosedBeat(NamedTuple):
    beat: int
    seen: Bin


@dataclass
class _Open:
    """Minutes of the open beat: [minute, row], NaN where there is none."""

    means: Floats
    maxima: Floats
    saturated: Known  # [row], in any minute


class Beats:
    """The open beat. A beat closes with the minute that ends it, or with the first later one.

    A minute that comes once more (a correction) counts while its beat is open; minutes of closed beats are
    counted as late and change nothing, so that the same minutes always make the same beats.
    """

    def __init__(self, rows_of: Callable[[list[int]], Rows], beat_ms: int = BEAT_MS) -> None:
        """`rows_of` gives the rows of series ids, new ones included."""
        self.beat, self.late = -1, 0
        self._beat_ms, self._minutes = beat_ms, beat_ms // MINUTE_MS
        self._rows = Lookup(rows_of)
        self._open: _Open | None = None
        self._seen: _Open | None = None  # the open beat or the one that closed last

    def add(self, minute: Batch) -> list[ClosedBeat]:
        """Take in a record of `minutes`; returns the beats that it closed."""
        beat = beat_of(minute.time_ms, self._beat_ms)
        if beat < self.beat or (beat == self.beat and self._open is None):
            self.late += 1
            return []
        closed = [self._close()] if beat > self.beat and self._open is not None else []
        self.beat = beat
        self._put(minute)
        if minute.time_ms == (beat + 1) * self._beat_ms:
            closed.append(self._close())
        return closed

    def largest(self, series: int) -> Floats:
        """The maxima of the newest beat so far, [series]; NaN where there is none."""
        if self._seen is None:
            return np.full(series, np.nan, dtype=np.float32)
        largest: Floats = _widened(np.fmax.reduce(self._seen.maxima), series)
        return largest

    def _put(self, minute: Batch) -> None:
        rows = self._rows(minute.series)
        width = int(rows.max(initial=-1)) + 1
        if self._open is None:
            nothing = np.full((self._minutes, width), np.nan, dtype=np.float32)
            self._open = _Open(nothing, nothing.copy(), np.zeros(width, dtype=bool))
        known = self._open
        self._open = _Open(
            _widened(known.means, width),
            _widened(known.maxima, width),
            _widened(known.saturated, width, fill=False),
        )
        self._seen = self._open
        place = -(-minute.time_ms // MINUTE_MS) % self._minutes - 1
        self._open.means[place, rows] = minute.numbers("mean")
        self._open.maxima[place, rows] = minute.numbers("max")
        self._open.saturated[rows] |= (minute.numbers("flags") & Flag.SATURATED) > 0

    def _close(self) -> ClosedBeat:
        assert self._open is not None
        means, maxima, saturated = self._open.means, self._open.maxima, self._open.saturated
        self._open = None
        known = np.isfinite(means)
        count = known.sum(axis=0)
        mean = np.where(known, means, 0).sum(axis=0) / np.maximum(count, 1)
        last = means[
            np.where(known, np.arange(self._minutes)[:, None], -1).max(axis=0), np.arange(means.shape[1])
        ]
        mean = np.where(count > 0, mean, np.nan).astype(np.float32)
        last = np.where(count > 0, last, np.nan)
        return ClosedBeat(self.beat, Bin(last, mean, np.fmax.reduce(maxima), saturated=saturated))


def _widened(values: NDArray[Any], width: int, fill: float = np.nan) -> NDArray[Any]:
    """With `fill` for rows that came later."""
    missing = width - values.shape[-1]
    if missing <= 0:
        return values
    return np.concatenate([values, np.full((*values.shape[:-1], missing), fill, values.dtype)], axis=-1)


def widened(bin_: Bin, width: int) -> Bin:
    loads = (_widened(v, width) for v in (bin_.last, bin_.mean, bin_.largest))
    saturated = None if bin_.saturated is None else _widened(bin_.saturated, width, fill=False)
    return Bin(*loads, saturated=saturated)
