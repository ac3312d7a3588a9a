"""The shape of the hour: what machines do every sixty, thirty or fifteen minutes."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import AT, MAX, Grid, T

_HALF_LIVES = (6, 48)  # hours
RHYTHMS = len(_HALF_LIVES)


class Rhythm:
    """Exponentially weighted means per slot of the hour, less the hour's mean: of the value by its own slot, of
    window maxima by their origin's. On beats of an hour there is none."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        arrays.declare("rhythm.means", (grid.hour, 1 + len(grid.leads), RHYTHMS), np.nan)
        rates = 1 - 0.5 ** (1 / np.array(_HALF_LIVES))
        self._rates = rates.astype(np.float32)[:, None]

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        """`truth` [C, series]: of the origins one lead ago."""
        self._move(np.array([beat]), slice(0, 1), truth[AT:1], known[AT:1])
        origins = beat - np.array(self._grid.lead_beats)
        self._move(origins, slice(1, None), truth[MAX::T], known[MAX::T])

    def ahead(self, beat: int) -> Floats:
        """[C, rhythm, series] for origin `beat`."""
        means = self._arrays["rhythm.means"]
        level = means.mean(axis=0)
        at = means[(beat + np.array(self._grid.lead_beats)) % self._grid.hour, 0] - level[0]
        largest = means[beat % self._grid.hour, 1:] - level[1:]
        ahead = np.stack([at, largest], axis=1).reshape(self._grid.cells, RHYTHMS, -1)
        return np.where(np.isnan(ahead), np.float32(0), ahead)

    def _move(
        self, beats: np.ndarray[tuple[int], np.dtype[np.intp]], rows: slice, values: Floats, known: Known
    ) -> None:
        means = self._arrays["rhythm.means"]
        at = (beats % self._grid.hour, np.arange(means.shape[1])[rows])
        old = means[at]
        moved = np.where(np.isnan(old), values[:, None], old + self._rates * (values[:, None] - old))
        means[at] = np.where(known[:, None], moved, old)
