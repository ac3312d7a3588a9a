"""The last value: what a plain HPA uses."""

import numpy as np

from predictor.arrays import Floats, Known
from predictor.features import Moment
from predictor.grid import Grid, Horizon


class Last:
    """F(t, h) = z(t) for every cell."""

    name = "last"

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def point(self, moment: Moment) -> Floats:
        return np.broadcast_to(moment.last, (self._grid.cells, len(moment.last)))

    def remember(self, horizon: Horizon, moment: Moment) -> None:
        """Has nothing to remember."""

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """Has nothing to learn."""
