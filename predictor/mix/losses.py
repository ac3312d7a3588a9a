"""Pinball losses of competing quantiles, in units of what such a loss usually is."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import QUANTILES, Grid, Horizon, Q

LEVELS = np.array(QUANTILES, dtype=np.float32)[:, None]
_SLOWEST = 0.0005


class Norm:
    """Running mean of the competitors' mean loss, [C, Q, series]: makes learning rates free of units."""

    def __init__(self, arrays: Arrays, name: str, grid: Grid) -> None:
        self._arrays, self._name = arrays, f"{name}.norm"
        arrays.declare(self._name, (grid.cells, Q))
        arrays.declare(f"{self._name}.count", (grid.cells,))

    def learn(self, horizon: Horizon, losses: Floats, known: Known) -> Floats:
        """Take in [T, Q, series]; returns the norm [T, Q, series], never zero."""
        cells = horizon.cells
        norm, count = self._arrays[self._name][cells], self._arrays[f"{self._name}.count"][cells]
        count += known
        slowest = np.float32(_SLOWEST * horizon.origins.stride)
        rate = np.maximum(1 / np.maximum(count, 1), slowest) * known
        norm += rate[:, None] * (losses - norm)
        return np.asarray(np.maximum(norm, np.float32(1e-20)))


def pinball(error: Floats) -> Floats:
    """Loss of truth - quantile, [..., Q, series]."""
    return np.asarray(np.maximum(LEVELS * error, (LEVELS - 1) * error))
