"""How large the errors of a lead will be, until enough of them have come back."""

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.grid import Grid, T

GROWTH = ((1.0, 1.0), (1.5, 1.5), (1.8, 2.2), (2.1, 3.1), (4.7, 7.1))
"""Mean absolute error of the last value in units of that of the shortest lead, [lead of LEADS_MS, target]: what is
usual among mature series (geometric mean of the traces of docs/forecasting.md after ten days)."""
_WINDOWS = 2  # leads' lengths of errors until a cell goes by its own alone


class Start:
    """size = trust x own + (1 - trust) x growth x own of the shortest lead, trust = errors known / errors needed.

    A young series goes by the growth of the last value's errors whatever the expert: no season can have been learned yet.
    """

    def __init__(self, arrays: Arrays, name: str, grid: Grid) -> None:
        self._arrays, self._name = arrays, f"{name}.growth"
        growth = np.array([GROWTH[lead] for lead in grid.leads])
        arrays.declare(self._name, (grid.cells,), (growth / growth[0]).ravel())
        self._needed = (_WINDOWS * grid.cell_beats / grid.cell_strides).astype(np.float32)[:, None]
        self._shortest = np.tile(np.arange(T), len(grid.leads))

    def sizes(self, own: Floats, count: Floats) -> Floats:
        """`own` sizes [C, n, series] of which each cell knows `count` [C, series]."""
        young = (count < self._needed).any(axis=0)
        if not young.any():
            return own
        sizes = own.copy()
        trust = np.minimum(count[:, young] / self._needed, 1)[:, None]
        grown = self._arrays[self._name][:, None, young] * own[self._shortest][..., young]
        sizes[..., young] = trust * own[..., young] + (1 - trust) * grown
        return sizes
