"""Online quantiles of standardized errors: one number that moves until it is exceeded as often as it should be."""

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import QUANTILES, Grid, Q

_LEVELS = np.array(QUANTILES, dtype=np.float32)[:, None]
# Standard normal quantiles in units of the mean absolute deviation.
_START = (np.array([0.0, 1.2816, 1.6449, 2.3263]) * np.sqrt(np.pi / 2)).astype(np.float32)
_RATE = np.float32(0.03)


class Tracker:
    """b += rate (1{z > b} - (1 - q)), z = error / scale: stochastic gradient descent on the pinball loss (Gibbs and
    Candes 2021). One b per slot of the day, cell and quantile; neighboring slots move along."""

    def __init__(self, arrays: Arrays, name: str, grid: Grid, slots: int = 1) -> None:
        self._arrays, self._name, self._grid, self._slots = arrays, f"{name}.tracker", grid, slots
        arrays.declare(self._name, (slots, grid.cells, Q), _START)

    def learn(self, beat: int, standardized: Floats, known: Known) -> None:
        """`standardized` [n, series] errors of the first n cells' origins one lead ago, now known."""
        n = len(standardized)
        b = self._arrays[self._name]
        origins = beat - self._grid.cell_beats[:n]
        slots = self._slot(origins)
        for shift, share in ((0, 1.0),) if self._slots == 1 else ((0, 1.0), (1, 0.5), (-1, 0.5)):
            at = ((slots + shift) % self._slots, np.arange(n))
            step = np.where(standardized[:, None] > b[at], _LEVELS, _LEVELS - 1)
            b[at] += np.float32(share) * _RATE * step * known[:, None]

    def quantiles(self, beat: int) -> Floats:
        """[C, Q, series] in units of the scale, for origin `beat`."""
        cells = np.arange(self._grid.cells)
        return np.asarray(self._arrays[self._name][self._slot(np.full(len(cells), beat)), cells])

    def _slot(self, beats: NDArray[np.intp]) -> NDArray[np.intp]:
        return beats % self._grid.day * self._slots // self._grid.day
