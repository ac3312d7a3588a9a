"""Linear quantile regression, one fit for all series, its distances from the median stretched as each series needs."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.calibration.calibrated import band_floor
from predictor.calibration.tracker import Tracker
from predictor.delay import Delay
from predictor.features import Moment
from predictor.grid import Grid, Horizon, Q
from predictor.ordering import sorted_quantiles
from predictor.pool import Pool

_AS_FITTED = (0, 1, 1, 1)
_MEDIAN_BY = 2  # the median moves in units of the .95 quantile's distance
_RATE = 0.018


class Pooled:
    """F_q = m + b_q (P_q - m): P_q = base + scale x (w_q . features), w_q the pool's minimizers of the pinball loss
    (Koenker and Bassett 1978), m = P_.5, b_q tracked from 1 on.

    Knows nothing of a series but its features and b, so it is there from the first day.
    """

    name = "pooled"

    def __init__(self, arrays: Arrays, grid: Grid, pool: Pool) -> None:
        self._grid, self._pool = grid, pool
        self._tracker = Tracker(arrays, self.name, grid, start=_AS_FITTED, rate=_RATE)
        self._delay = Delay(arrays, f"{self.name}.origins", grid, (Q,))

    def quantiles(self, moment: Moment) -> tuple[Floats, Floats]:
        moment.pooled[:] = sorted_quantiles(np.matmul(self._pool.quantile(self._grid), moment.features))
        kept = moment.root(moment.pooled)
        median = kept[:, :1].copy()
        distances = np.maximum(kept - median, band_floor(moment))
        distances[:, 0] = distances[:, _MEDIAN_BY]
        quantiles = median + self._tracker.quantiles(moment.beat) * distances
        kept[:, 1:] = distances[:, 1:]
        return sorted_quantiles(quantiles), kept

    def remember(self, horizon: Horizon, moment: Moment, kept: Floats) -> None:
        """`kept` [T, Q, series]: the median, then the upper quantiles' distances."""
        self._delay.keep(horizon, moment.beat, kept)

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        due = self._delay.due(horizon, beat)
        error = truth - due[:, 0]
        good = known & np.isfinite(error)
        distances = np.where(good[:, None], due, np.float32(1))
        distances[:, 0] = distances[:, _MEDIAN_BY]
        standardized = np.where(good, error, np.float32(0))[:, None] / distances
        self._tracker.learn(horizon, beat, standardized.astype(np.float32, copy=False), good)
