"""What the production engine said minute by minute, kept for as many policies as will ask for it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapter.replay.load import Doubles, Load, Times
from cme.collector.rollup import CLOSE_AFTER_MS
from predictor.chosen import Chosen, chosen
from predictor.engine import Forecast
from predictor.grid import L, Q, T

Floats = NDArray[np.float32]


def nothing_soon(times_ms: Times) -> Doubles:
    """Of a past without a nowcast."""
    return np.full((Q, len(times_ms)), np.nan)


@dataclass(frozen=True)
class Forecasts:
    """Of one series from one minute after the other; the largest load alone, as policies ask for no other. `soon` is what the
    nowcast said at some times, [Q, time]."""

    ends_ms: Times  # [minute]
    largest: Floats  # [lead, quantile, minute]
    uncalibrated: NDArray[np.uint32]
    distrust: NDArray[np.uint32]
    soon: Callable[[Times], Doubles] = nothing_soon

    def _as_rows(self) -> Forecast:
        """Each minute as a row, the way the chain's own choice takes series."""
        values = np.broadcast_to(self.largest, (T, *self.largest.shape))
        return Forecast(values, self.uncalibrated, self.distrust, np.zeros(len(self.ends_ms), dtype=np.int64))

    def chosen(
        self,
        times_ms: Times,
        raw: NDArray[np.float64],
        soon: NDArray[np.float64],
        within_ms: float,
        quantile: float,
    ) -> Chosen:
        """[time]: what a policy took then of the newest one, `raw` [time] having been measured and `soon` [Q, time] said by the
        nowcast: its quantile of the largest load within a time."""
        same = np.ones(len(times_ms))
        return chosen(self._as_rows(), self.newest(times_ms), raw, soon, within_ms * same, quantile * same)

    def newest(self, times_ms: Times) -> NDArray[np.intp]:
        """[time]: the row that was newest then, -1 for none. A minute is known some seconds after its end."""
        return np.searchsorted(self.ends_ms, times_ms - CLOSE_AFTER_MS, side="right") - 1


@dataclass(frozen=True)
class Series:
    """One signal of a load, by the id that it has in the log."""

    id: int
    load: Load
    row: int


def no_forecasts(ends_ms: Times) -> Forecasts:
    """Of minutes that have none."""
    count = len(ends_ms)
    doubts = np.zeros(count, dtype=np.uint32)
    return Forecasts(ends_ms, np.full((L, Q, count), np.nan, dtype=np.float32), doubts, doubts.copy())
