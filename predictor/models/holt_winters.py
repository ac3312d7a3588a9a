"""Holt-Winters with an additive season and no trend, as autoscalers use it: tuned once, then only updated.

Holt (1957), Winters (1960); the recursions in the error-correction form of Hyndman and Athanasopoulos, Forecasting:
Principles and Practice, 3rd ed., 8.3: e = y - l - s, l += alpha e, s += gamma e.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

UNTUNED = (0.5, 0.1)
"""Of a series too short or too flat to tune."""


@dataclass(frozen=True)
class Smoothed:
    """The state behind each value: `level` [time], and `season` [period + time], shifted by one period."""

    level: Doubles
    season: Doubles
    period: int

    def at(self, steps: int) -> Doubles:
        """Forecasts of the value `steps` ahead, fewer than the period, from each time on."""
        return self.level + self.season[np.arange(len(self.level)) + steps]

    def largest(self, steps: int) -> Doubles:
        """Of the largest of the forecasts up to there."""
        windows = np.lib.stride_tricks.sliding_window_view(self.season[1:], steps).max(axis=1)
        return np.asarray(self.level + windows[: len(self.level)])


def smoothed(values: Doubles, period: int, tuned_on: int) -> Smoothed:
    """Smooth `values` [time], NaN for gaps, with parameters and initial season from the first `tuned_on` of them.

    A gap leaves the state as it is.
    """
    known = _whole(values[:tuned_on])
    alpha, gamma = _tuned(known, period)
    days = known[: len(known) // period * period].reshape(-1, period)
    usual = days.mean(axis=0) if len(days) else np.zeros(period)
    level, state = np.empty(len(values)), np.concatenate([usual - usual.mean(), np.empty(len(values))])
    now = float(usual.mean())
    for time, value in enumerate(values):
        error = value - now - state[time]
        error = 0.0 if np.isnan(error) else error
        now += alpha * error
        level[time], state[period + time] = now, state[time] + gamma * error
    return Smoothed(level, state, period)


def _tuned(values: Doubles, period: int) -> tuple[float, float]:
    """alpha and gamma of the least one-step squared error."""
    if len(values) < 2 * period + 1 or values.std() <= 1e-9 * abs(values.mean()):
        return UNTUNED
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the best that a search that did not converge has found is as good
        # In units in which the search's tolerances mean the same for all series.
        unit = values / np.abs(values).mean()
        model = ExponentialSmoothing(
            unit, seasonal="add", seasonal_periods=period, initialization_method="heuristic"
        )
        found = model.fit().params
    return float(found["smoothing_level"]), float(found["smoothing_seasonal"])


def _whole(values: Doubles) -> Doubles:
    """Gaps bridged; zeros where nothing is known."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    places = np.arange(len(values))
    return np.asarray(np.interp(places, places[known], values[known]))
