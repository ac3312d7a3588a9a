"""Values that wait for their truth: what was computed at an origin, given back one lead later."""

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.grid import Grid


class Delay:
    """A ring per cell, as long as the cell's lead, of the origins that the cell learns from."""

    def __init__(self, arrays: Arrays, name: str, grid: Grid, shape: tuple[int, ...]) -> None:
        self._arrays, self._name, self._grid = arrays, name, grid
        self._lengths = grid.cell_beats // grid.cell_strides
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        arrays.declare(name, (int(self._lengths.sum()), *shape), np.nan)
        arrays.waiting.append(name)

    def swap(self, beat: int, values: Floats) -> None:
        """Keep the newest `values` [C, ..., series] in the place of those that `due` gave back on this beat."""
        n = self._grid.active(beat)
        self._arrays[self._name][self._slots(beat, n)] = values[:n]

    def due(self, beat: int) -> Floats:
        """[n, ..., series] of the first n cells, those active on this beat, made one lead ago; NaN if never."""
        n = self._grid.active(beat)
        due: Floats = self._arrays[self._name][self._slots(beat, n)]
        return due

    def _slots(self, beat: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """The oldest place of a ring is both what is due now and where the newest goes."""
        return self._starts[:n] + (beat // self._grid.cell_strides[:n]) % self._lengths[:n]
