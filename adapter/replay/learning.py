"""The production engine and nowcast over many pasts at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from adapter.replay.forecasts import Floats, Forecasts, Series, no_forecasts
from adapter.replay.load import Times, minutes_of
from adapter.replay.nowcasts import nowcasts_of
from cme.core.batch import Batch
from cme.core.durations import DAY_MS, MINUTE_MS
from cme.core.progress import Progress, silent
from predictor.calendar import Calendar
from predictor.engine import Forecast
from predictor.fleet import Fleet
from predictor.grid import MAX
from predictor.presets import BEST, Preset

NOWCAST_WARM_MS = 2 * DAY_MS
"""From which the nowcast has learnt when its first number counts."""


def forecasts_of(
    series: Sequence[Series],
    since_ms: int,
    calendars: Mapping[int, Calendar],
    window_ms: int,
    progress: Progress = silent,
    preset: Preset = BEST,
) -> dict[int, Forecasts]:
    """By id, of every minute that ends after `since_ms`, and some before; what lies before is learnt from only.

    All series are learnt by one engine and one nowcast as they would be together, minute by minute: nothing knows what came
    later. A source's rates are means over `window_ms`.
    """
    made = _by_engine(series, since_ms - NOWCAST_WARM_MS, calendars, progress, preset)
    nowcasts = nowcasts_of(series, made, window_ms)
    return {one: replace(said, soon=nowcasts[one].at) for one, said in made.items()}


def _by_engine(
    series: Sequence[Series],
    since_ms: int,
    calendars: Mapping[int, Calendar],
    progress: Progress,
    preset: Preset,
) -> dict[int, Forecasts]:
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


def _keep(made: Mapping[int, Forecasts], minute: int, ids: NDArray[np.uint64], forecast: Forecast) -> None:
    for row, series in enumerate(ids.tolist()):
        made[series].largest[:, :, minute] = forecast.values[MAX][:, :, row]
        made[series].uncalibrated[minute] = forecast.uncalibrated[row]
        made[series].distrust[minute] = forecast.distrust[row]
