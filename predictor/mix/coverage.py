"""The last word on coverage: upper quantiles move until they are exceeded as often as they promise."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.grid import BEAT_MS, QUANTILES, Grid, Horizon, Q

_RATE, _FASTEST = 0.005, 0.02
_TRACKED = 1  # the first quantile that is tracked; a median's coverage says nothing worth its loss
_MISSES = 1 - np.array(QUANTILES[_TRACKED:], dtype=np.float32)[:, None]
_FLOOR = np.float32(1e-5)


class Coverage:
    """Q + th x width, th += rate (1{exceeded} - (1 - q)) (Gibbs and Candes 2021), in units of
    width = (q95 - q50) / 2 + min(mean |y - q50| of a day, 4 (q95 - q50)) / 2."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        arrays.declare("coverage.shift", (grid.cells, Q - _TRACKED))
        arrays.declare("coverage.distance", (grid.cells,))
        arrays.declare("coverage.count", (grid.cells,))
        self._delay = Delay(arrays, "coverage.origins", grid, (Q + 1,))
        hours = np.maximum(grid.cell_beats / grid.hour, 1 / grid.hour)
        rate = np.minimum(_RATE * grid.beat_ms / BEAT_MS / hours, _FASTEST)
        self._rate = (rate * grid.strides).astype(np.float32)[:, None, None]
        self._day = (grid.strides / grid.day).astype(np.float32)[:, None]

    def apply(self, quantiles: Floats, level: Floats) -> Floats:
        """[C, Q, series], given the usual load [series]: ordered and never negative."""
        moved = quantiles.copy()
        moved[:, _TRACKED:] += self._arrays["coverage.shift"] * self._width(quantiles, level)[:, None]
        np.maximum(moved[:, 0], 0, out=moved[:, 0])
        for q in range(1, Q):  # maximum.accumulate would go through the series one at a time
            np.maximum(moved[:, q], moved[:, q - 1], out=moved[:, q])
        return moved

    def remember(self, beat: int, served: Floats, median: Floats) -> None:
        """`served` [C, Q, series]; `median` [C, series] before it was moved."""
        for horizon in self._grid.begun(beat):
            cells = horizon.cells
            kept = np.concatenate([served[cells], median[cells, None]], axis=1)
            self._delay.keep(horizon, beat, kept)

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """`truth` [T, series], loads."""
        due, cells = self._delay.due(horizon, beat), horizon.cells
        known = known & np.isfinite(due[:, 0])
        exceeded = truth[:, None] > due[:, _TRACKED:Q]
        shift = self._arrays["coverage.shift"][cells]
        shift += self._rate[cells] * (exceeded - _MISSES) * known[:, None]
        count, distance = self._arrays["coverage.count"][cells], self._arrays["coverage.distance"][cells]
        count += known
        rate = np.maximum(self._day[cells], 1 / np.maximum(count, 1)) * known
        distance += rate * (np.abs(truth - np.where(known, due[:, Q], truth)) - distance)

    def _width(self, quantiles: Floats, level: Floats) -> Floats:
        spread = quantiles[:, 2] - quantiles[:, 0]
        distance = np.minimum(self._arrays["coverage.distance"], 4 * spread)
        return np.asarray((spread + distance) / 2 + _FLOOR * level)
