"""Traces as the engine sees them: `<series>.csv.gz` with equal steps, binned into beats."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Floats
from predictor.grid import BEAT_MS, BEATS_MS, LEADS_MS

DAY_S = 86_400
_SCORED_DAYS, _WARM_DAYS = 28, 14


@dataclass(frozen=True)
class Trace:
    """Samples in time order; NaN is a gap. Times in epoch seconds.

    Sample i is taken to be `i * step_s` seconds after the first one, whatever its time says: `uneven` where it differs.
    """

    name: str
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @cached_property
    def step_s(self) -> int:
        return int(np.median(np.diff(self.times)))

    @property
    def uneven(self) -> NDArray[np.intp]:
        """The samples that are not one step behind the one before."""
        return np.flatnonzero(np.diff(self.times) != self.step_s) + 1

    @property
    def known(self) -> NDArray[np.intp]:
        """The samples that have a value."""
        return np.flatnonzero(np.isfinite(self.values))

    @property
    def beat_ms(self) -> int:
        """The shortest beat that is not shorter than the step and divides every lead of it."""
        fitting = (b for b in BEATS_MS if all(lead * 1000 % b == 0 for lead in self.leads_s))
        return next(b for b in fitting if b >= self.step_s * 1000)

    @property
    def leads_s(self) -> tuple[int, ...]:
        return tuple(ms // 1000 for ms in LEADS_MS if ms // 1000 % self.step_s == 0)

    @cached_property
    def origins(self) -> NDArray[np.intp]:
        """Indices of the samples from which forecasts count: every five minutes (or every step, if longer), after
        a warm-up of half the series in whole days and at most two weeks, for at most four."""
        days = (int(self.times[-1] - self.times[0]) + self.step_s) / DAY_S
        warm = min(_WARM_DAYS, int(days / 2)) * DAY_S // self.step_s
        last = len(self.times) - 1 - max(self.leads_s) // self.step_s
        stop = min(last + 1, warm + _SCORED_DAYS * DAY_S // self.step_s)
        return np.arange(warm, stop, max(1, BEAT_MS // 1000 // self.step_s))

    @property
    def origin_beats(self) -> NDArray[np.intp]:
        """The newest beat that each origin knows whole; it ends at the origin when the step divides the beat."""
        return self.origins * self.step_s * 1000 // self.beat_ms


@dataclass(frozen=True)
class Binned:
    """[beat]: last value, mean and largest of the samples of each beat, the first of which ends with the first sample.

    A beat holds the samples behind the end of the one before, up to and with its own end.
    """

    last: Floats
    mean: Floats
    largest: Floats


def binned(trace: Trace) -> Binned:
    """Up to the last origin."""
    places = np.arange(trace.origins[-1] + 1)
    beats = -(-places * trace.step_s * 1000 // trace.beat_ms)
    first = np.searchsorted(beats, np.arange(beats[-1] + 1))
    rows = np.full((len(first), int(np.bincount(beats).max())), np.nan)
    rows[beats, places - first[beats]] = trace.values[places]
    known = np.isfinite(rows)
    count = known.sum(axis=1)
    total = np.where(known, rows, 0).sum(axis=1)
    newest = rows.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    columns = (
        rows[np.arange(len(rows)), newest],
        np.divide(total, count, out=np.full(len(rows), np.nan), where=count > 0),
        np.fmax.reduce(rows, axis=1),
    )
    return Binned(*(column.astype(np.float32) for column in columns))
