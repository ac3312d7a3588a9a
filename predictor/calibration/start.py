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
        self._needed = (_WINDOWS * grid.cell_beats / grid.strides).astype(np.float32)[:, None]

    def sizes(self, own: Floats, count: Floats) -> Floats:
        """`own` sizes [C, n, series] of which each cell knows `count` [C, series]."""
        if not (count < self._needed).any():
            return own
        trust = np.minimum(count / self._needed, 1)[:, None]
        grown = self._arrays[self._name][:, None] * np.tile(own[:T], (len(own) // T, 1, 1))
        return np.asarray(trust * own + (1 - trust) * grown)
