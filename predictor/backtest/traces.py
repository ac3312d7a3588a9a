"""Traces as the engine sees them: `<series>.csv.gz` with equal steps, binned into beats."""

import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cme.core.errors import InvalidInput
from predictor.arrays import Floats
from predictor.grid import BEAT_MS, BEATS_MS, LEADS_MS

DAY_S = 86_400
_SCORED_DAYS, _WARM_DAYS = 28, 14


@dataclass(frozen=True)
class Trace:
    """Samples in time order; NaN is a gap. Times in epoch seconds."""

    name: str
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @cached_property
    def step_s(self) -> int:
        return int(np.median(np.diff(self.times)))

    @property
    def beat_ms(self) -> int:
        """The shortest beat that is not shorter than the step."""
        return next((b for b in BEATS_MS if b >= self.step_s * 1000), BEATS_MS[-1])

    @property
    def samples_per_beat(self) -> int:
        return max(1, self.beat_ms // (self.step_s * 1000))

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


@dataclass(frozen=True)
class Binned:
    """[beat]: last value, mean and largest of the samples of each beat, from the series' first sample on.

    A beat ends with the sample `i * samples_per_beat`, so that every origin ends one.
    """

    last: Floats
    mean: Floats
    largest: Floats


def read(path: Path) -> Trace:
    """Raises InvalidInput for a file that is not a trace."""
    with gzip.open(path, "rt") as file:
        table = np.genfromtxt(file, delimiter=",", skip_header=1)
    if table.ndim != 2 or table.shape[1] < 2 or len(table) < 2:
        raise InvalidInput(
            "it has no rows of timestamp and value", str(path), "write CSV with these two columns"
        )
    return Trace(path.name.removesuffix(".csv.gz"), table[:, 0].astype(np.int64), np.maximum(table[:, 1], 0))


def binned(trace: Trace) -> Binned:
    """Up to the last origin."""
    size = trace.samples_per_beat
    values = trace.values[: trace.origins[-1] + 1]
    values = np.concatenate([np.full(size - 1, np.nan), values])
    rows = values[: len(values) // size * size].reshape(-1, size)
    known = np.isfinite(rows)
    count = known.sum(axis=1)
    total = np.where(known, rows, 0).sum(axis=1)
    newest = size - 1 - known[:, ::-1].argmax(axis=1)
    columns = (
        rows[np.arange(len(rows)), newest],
        np.divide(total, count, out=np.full(len(rows), np.nan), where=count > 0),
        np.fmax.reduce(rows, axis=1),
    )
    return Binned(*(column.astype(np.float32) for column in columns))
