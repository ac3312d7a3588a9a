"""Online quantiles of standardized errors: one number that moves until it is exceeded as often as it should be."""

import numpy as np
from numpy.typing import ArrayLike

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import QUANTILES, Grid, Horizon, Q

_MISSES = 1 - np.array(QUANTILES, dtype=np.float32)[:, None]
NORMAL = (np.array([0.0, 1.2816, 1.6449, 2.3263]) * np.sqrt(np.pi / 2)).astype(np.float32)
"""Standard normal quantiles in units of the mean absolute deviation."""


class Tracker:
    """b += rate (1{z > b} - (1 - q)), z = error / scale: stochastic gradient descent on the pinball loss (Gibbs and
    Candes 2021). One b per slot of the origin's day, cell and quantile; neighboring slots move along by half."""

    def __init__(
        self,
        arrays: Arrays,
        name: str,
        grid: Grid,
        slots: int = 1,
        start: ArrayLike = NORMAL,
        rate: float = 0.03,
    ) -> None:
        self._arrays, self._name, self._grid, self._slots = arrays, f"{name}.tracker", grid, slots
        self._rate = np.float32(rate)
        arrays.declare(self._name, (slots, grid.cells, Q), start)

    def learn(self, horizon: Horizon, beat: int, standardized: Floats, known: Known) -> None:
        """`standardized` [T, 1 or Q, series] errors of the origin one lead ago, now known where `known` [T, series]."""
        slot, counted = self._slot(beat - horizon.beats), known[:, None]
        for shift, share in ((0, 1.0),) if self._slots == 1 else ((0, 1.0), (1, 0.5), (-1, 0.5)):
            b = self._arrays[self._name][(slot + shift) % self._slots, horizon.cells]
            step = (standardized > b) - _MISSES
            step *= counted * (np.float32(share) * self._rate)
            b += step

    def quantiles(self, beat: int) -> Floats:
        """[C, Q, series] in units of the scale, for origin `beat`."""
        quantiles: Floats = self._arrays[self._name][self._slot(beat)]
        return quantiles

    def _slot(self, beat: int) -> int:
        return beat % self._grid.day * self._slots // self._grid.day
