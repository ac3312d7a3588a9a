"""Pinball losses of competing quantiles, in units of what such a loss usually is."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import QUANTILES, Grid, Q

LEVELS = np.array(QUANTILES, dtype=np.float32)[:, None]
_SLOWEST = np.float32(0.0005)


class Norm:
    """Running mean of the competitors' mean loss, [C, Q, series]: makes learning rates free of units."""

    def __init__(self, arrays: Arrays, name: str, grid: Grid) -> None:
        self._arrays, self._name = arrays, f"{name}.norm"
        arrays.declare(self._name, (grid.cells, Q))
        arrays.declare(f"{self._name}.count", (grid.cells,))
        self._slowest = (_SLOWEST * grid.cell_strides).astype(np.float32)[:, None]

    def learn(self, losses: Floats, known: Known) -> Floats:
        """Take in [n, Q, series]; returns the norm [n, Q, series], never zero."""
        n = len(losses)
        norm, count = self._arrays[self._name][:n], self._arrays[f"{self._name}.count"][:n]
        count += known
        rate = np.maximum(1 / np.maximum(count, 1), self._slowest[:n]) * known
        norm += rate[:, None] * (losses - norm)
        return np.asarray(np.maximum(norm, np.float32(1e-20)))


def pinball(error: Floats) -> Floats:
    """Loss of truth - quantile, [..., Q, series]."""
    return np.asarray(np.maximum(LEVELS * error, (LEVELS - 1) * error))
