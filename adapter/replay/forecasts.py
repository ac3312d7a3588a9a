"""What the production engine said minute by minute, kept for as many policies as will ask for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapter.replay.load import Load, Times, minutes_of
from cme.collector.rollup import CLOSE_AFTER_MS
from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.core.progress import Progress, silent
from predictor.calendar import Calendar
from predictor.chosen import Chosen, chosen
from predictor.engine import Forecast
from predictor.fleet import Fleet
from predictor.grid import MAX, L, Q, T
from predictor.presets import BEST, Preset

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Forecasts:
    """Of one series from one minute after the other; the largest load alone, as policies ask for no other."""

    ends_ms: Times  # [minute]
    largest: Floats  # [lead, quantile, minute]
    uncalibrated: NDArray[np.uint32]
    distrust: NDArray[np.uint32]

    def _as_rows(self) -> Forecast:
        """Each minute as a row, the way the chain's own choice takes series."""
        values = np.broadcast_to(self.largest, (T, *self.largest.shape))
        return Forecast(values, self.uncalibrated, self.distrust, np.zeros(len(self.ends_ms), dtype=np.int64))

    def chosen(self, times_ms: Times, raw: NDArray[np.float64], within_ms: float, quantile: float) -> Chosen:
        """[time]: what a policy took then of the newest one, `raw` [time] having been measured: its quantile of the largest
        load within a time."""
        same = np.ones(len(times_ms))
        return chosen(self._as_rows(), self.newest(times_ms), raw, within_ms * same, quantile * same)

    def newest(self, times_ms: Times) -> NDArray[np.intp]:
        """[time]: the row that was newest then, -1 for none. A minute is known some seconds after its end."""
        return np.searchsorted(self.ends_ms, times_ms - CLOSE_AFTER_MS, side="right") - 1


@dataclass(frozen=True)
class Series:
    """One signal of a load, by the id that it has in the log."""

    id: int
    load: Load
    row: int


def forecasts_of(
    series: Sequence[Series],
    since_ms: int,
    calendars: Mapping[int, Calendar],
    progress: Progress = silent,
    preset: Preset = BEST,
) -> dict[int, Forecasts]:
    """By id, of every minute that ends after `since_ms`; what lies before is learnt from only.

    All series are learnt by one engine as they would be together, minute by minute: no forecast knows what came later.
    """
    fleet = Fleet(preset)
    fleet.follow(calendars)
    ids = np.array([one.id for one in series], dtype=np.uint64)
    ends, means, maxima = _minutes(series)
    kept = ends[ends > since_ms]
    made = {one.id: no_forecasts(kept) for one in series}
    flags = np.zeros(len(ids), dtype=np.uint8)
    for number, end in enumerate(ends.tolist()):
        fleet.learn(
            Batch("minutes", end, ids, {"mean": means[:, number], "max": maxima[:, number], "flags": flags})
        )
        if end > since_ms:
            _keep(made, number - (len(ends) - len(kept)), *fleet.forecast())
        progress(number + 1, len(ends))
    return made


def _minutes(series: Sequence[Series]) -> tuple[Times, Floats, Floats]:
    """Ends [minute], means and maxima [series, minute]; NaN where a series has none."""
    spans = [minutes_of(one.load) for one in series]
    ends = np.arange(min(s[0] for s in spans), max(s[-1] for s in spans) + 1, MINUTE_MS)
    means = np.stack([one.load.mean(ends, MINUTE_MS)[one.row] for one in series])
    maxima = np.stack([one.load.largest(ends, MINUTE_MS)[one.row] for one in series])
    return ends, means.astype(np.float32), np.where(np.isnan(means), np.nan, maxima).astype(np.float32)


def no_forecasts(ends_ms: Times) -> Forecasts:
    """Of minutes that have none."""
    count = len(ends_ms)
    doubts = (np.zeros(count, dtype=np.uint32) for _ in range(2))
    return Forecasts(ends_ms, np.full((L, Q, count), np.nan, dtype=np.float32), *doubts)


def _keep(made: Mapping[int, Forecasts], minute: int, ids: NDArray[np.uint64], forecast: Forecast) -> None:
    for row, series in enumerate(ids.tolist()):
        made[series].largest[:, :, minute] = forecast.values[MAX][:, :, row]
        made[series].uncalibrated[minute] = forecast.uncalibrated[row]
        made[series].distrust[minute] = forecast.distrust[row]
