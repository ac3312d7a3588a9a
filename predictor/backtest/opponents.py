"""What our forecasts are held against: reacting to what is measured, with and without an honest margin, and Holt-Winters.

An opponent's margin is the conformal quantile of its own errors (Vovk, Gammerman and Shafer 2005), of those known at the
origin and at most 14 days old; each is asked at the moments at which we are.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from predictor.backtest.traces import DAY_S, Trace, binned
from predictor.backtest.truths import sliding_max, truth_of
from predictor.grid import AT, TARGETS
from predictor.models.holt_winters import Smoothed, smoothed

Doubles = NDArray[np.float64]

LAST, HOUR_MAX, LAST_CONFORMAL = "the last value", "the largest of the last hour", "the last value, conformal"
HOLT_WINTERS, HOLT_WINTERS_CONFORMAL = "Holt-Winters, day season", "Holt-Winters, conformal"
NAMES = (LAST, HOUR_MAX, LAST_CONFORMAL, HOLT_WINTERS, HOLT_WINTERS_CONFORMAL)

WINDOW_DAYS = 14
_HOUR_S = 3600


@dataclass(frozen=True)
class Opponents:
    """Of one trace. Moments are its origins and the times before them at the same distances, back to its start."""

    trace: Trace
    quantile: float

    def forecasts(self, target: str, lead_s: int) -> dict[str, Doubles]:
        """By name, at each origin."""
        steps, moments = lead_s // self.trace.step_s, self._moments
        truth = truth_of(target, self.trace.values, moments, steps)
        last, smooth = self._filled[moments], self._smooth(target, lead_s)[moments]
        lag = -(-steps // self._stride)
        found = {
            LAST: last,
            HOUR_MAX: self._hour_max[moments],
            LAST_CONFORMAL: last + self._margin(truth - last, lag),
            HOLT_WINTERS: smooth,
            HOLT_WINTERS_CONFORMAL: smooth + self._margin(truth - smooth, lag),
        }
        return {name: np.maximum(values[-len(self.trace.origins) :], 0) for name, values in found.items()}

    @cached_property
    def _stride(self) -> int:
        return max(1, 300 // self.trace.step_s)

    @cached_property
    def _moments(self) -> NDArray[np.intp]:
        origins = self.trace.origins
        return np.arange(origins[0] % self._stride, origins[-1] + 1, self._stride)

    @cached_property
    def _filled(self) -> Doubles:
        """The last known value at each sample, 0 before the first."""
        values = self.trace.values
        newest = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))
        return np.asarray(np.nan_to_num(values[newest]))

    @cached_property
    def _hour_max(self) -> Doubles:
        steps = max(1, _HOUR_S // self.trace.step_s)
        padded = np.concatenate([np.zeros(steps - 1), self._filled])
        return sliding_max(padded, steps)

    @cached_property
    def _smoothed(self) -> Smoothed:
        day = DAY_S * 1000 // self.trace.beat_ms
        warm = int(self.trace.origin_beats[0])
        return smoothed(binned(self.trace).last.astype(float), day, warm)

    def _smooth(self, target: str, lead_s: int) -> Doubles:
        """Holt-Winters' forecasts at each sample, from the newest beat that it knows."""
        beats = lead_s * 1000 // self.trace.beat_ms
        found = self._smoothed.at(beats) if target == TARGETS[AT] else self._smoothed.largest(beats)
        samples = np.arange(self.trace.origins[-1] + 1)
        return np.asarray(found[samples * self.trace.step_s * 1000 // self.trace.beat_ms])

    def _margin(self, errors: Doubles, lag: int) -> Doubles:
        """The conformal quantile of `errors` [moment], each known `lag` moments later; renewed every hour."""
        spacing = self._stride * self.trace.step_s
        window, every = WINDOW_DAYS * DAY_S // spacing, max(1, _HOUR_S // spacing)
        margin = np.zeros(len(errors))
        for now in range(0, len(errors), every):
            known = errors[max(0, now - lag + 1 - window) : max(0, now - lag + 1)]
            margin[now : now + every] = conformal(known[np.isfinite(known)], self.quantile)
        return margin


def conformal(errors: Doubles, quantile: float) -> float:
    """The error of rank ceil((n + 1) q), the largest where there are too few; 0 for none."""
    if not len(errors):
        return 0.0
    rank = min(len(errors), int(np.ceil((len(errors) + 1) * quantile - 1e-9)))
    return float(np.partition(errors, rank - 1)[rank - 1])
