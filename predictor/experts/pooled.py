"""Linear quantile regression, one fit for all series."""

import numpy as np

from predictor.arrays import Floats, Known
from predictor.features import Moment
from predictor.grid import Grid
from predictor.ordering import sorted_quantiles
from predictor.pool import Pool


class Pooled:
    """F_q = base + scale x (w_q . features), w_q the pool's minimizers of the pinball loss (Koenker and Bassett
    1978). Knows nothing of a series but its features, so it is there from the first day."""

    name = "pooled"

    def __init__(self, grid: Grid, pool: Pool) -> None:
        self._grid, self._pool = grid, pool

    def quantiles(self, moment: Moment) -> tuple[Floats, Floats]:
        normal = np.matmul(self._pool.quantile(self._grid), moment.features)
        return moment.root(sorted_quantiles(normal)), normal[:, :0]

    def remember(self, moment: Moment, kept: Floats) -> None:
        """The pool's rows are its origins."""

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        """Learns from the pool."""
