"""Ridge regression of the target on levels and seasons, each series' own, shrunk to the fit pooled over all."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.experts.sums import MEMORY_DAYS, pairs, row_strides, shrinkage, unpacking, usual_size
from predictor.features import RIDGE, Moment
from predictor.grid import Grid, Horizon
from predictor.pool import Pool

_SHRINKAGE_MINUTES = 400  # of rows that the pooled fit counts for
_OUTLIER = np.float32(2)  # errors beyond that many median errors weigh less (Huber 1964)
_FULL = unpacking(RIDGE)


class Ridge:
    """F = base + scale x (w . features), w = (G + l M)^-1 (B + l M w_pool).

    G = sum of weighted x x^T, B of x y, over rows ten minutes apart or more, decayed over 14 days; M the features' pooled
    mean squares. A few series are solved per beat; between two solutions a series keeps its w, and instead of the sums
    of the past shrinking with each row, new rows grow.
    """

    name = "ridge"

    def __init__(self, arrays: Arrays, grid: Grid, pool: Pool) -> None:
        self._arrays, self._grid, self._pool = arrays, grid, pool
        arrays.declare("ridge.gram", (grid.cells, pairs(RIDGE)))
        arrays.declare("ridge.moment", (grid.cells, RIDGE))
        arrays.declare("ridge.weights", (grid.cells, RIDGE), np.nan)
        arrays.declare("ridge.growth", (grid.cells,), 1)
        arrays.declare("ridge.usual_error", (grid.cells,), np.nan)
        self._growth = np.exp(row_strides(grid) / (MEMORY_DAYS * grid.day)).astype(np.float32)
        self._shrinkage = shrinkage(grid, _SHRINKAGE_MINUTES)[:, None]

    def point(self, moment: Moment) -> Floats:
        weights = self._arrays["ridge.weights"]
        new = np.isnan(weights[0, 0])
        if new.any():
            weights[..., new] = self._pool.ridge(self._grid)[..., None]
        normal = np.einsum("ckn,ckn->cn", weights, moment.features[:, :RIDGE])
        moment.features[:, RIDGE] = normal
        return moment.root(normal)

    def remember(self, horizon: Horizon, moment: Moment) -> None:
        """Its origins are the rows."""

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """Learns from rows."""

    def learn_row(self, horizon: Horizon, x: Floats, y: Floats, known: Known) -> None:
        """`x` [T, K, series], `y` [T, series]: a row of a lead, truths in the features' units."""
        cells, x = horizon.cells, x[:, :RIDGE]
        growth = self._arrays["ridge.growth"][cells]
        growth *= np.where(known, self._growth[horizon.number], np.float32(1))
        weighted = x * (self._weight(cells, x, y, known) * growth)[:, None]
        self._arrays["ridge.moment"][cells] += weighted * y[:, None]
        self._add_to_gram(cells, weighted, x)

    def _add_to_gram(self, cells: slice, weighted: Floats, x: Floats) -> None:
        gram, product = self._arrays["ridge.gram"][cells], np.empty_like(x)
        for k in range(RIDGE):
            row = gram[:, k * (k + 1) // 2 : (k + 1) * (k + 2) // 2]
            row += np.multiply(weighted[:, k : k + 1], x[:, : k + 1], out=product[:, : k + 1])

    def solve(self, series: slice) -> None:
        """Anew for a few series."""
        gram, moment = self._shrunk("ridge.gram", series), self._shrunk("ridge.moment", series)
        self._arrays["ridge.growth"][:, series] = 1
        gram = gram.transpose(2, 0, 1)[:, :, _FULL].astype(float)
        penalty = self._shrinkage * self._pool.squares(self._grid)[:, :RIDGE]
        gram[..., np.arange(RIDGE), np.arange(RIDGE)] += penalty
        right = moment.transpose(2, 0, 1) + penalty * self._pool.ridge(self._grid)
        weights = np.linalg.solve(gram, right[..., None])[..., 0]
        self._arrays["ridge.weights"][:, :, series] = weights.transpose(1, 2, 0)

    def _shrunk(self, name: str, series: slice) -> Floats:
        """Sums of a few series, in which the newest row counts as one again."""
        sums: Floats = self._arrays[name][:, :, series]
        sums /= self._arrays["ridge.growth"][:, None, series]
        return sums

    def _weight(self, cells: slice, x: Floats, y: Floats, known: Known) -> Floats:
        error = np.abs(y - np.einsum("ckn,ckn->cn", self._arrays["ridge.weights"][cells], x))
        usual = usual_size(self._arrays["ridge.usual_error"][cells], error, known)
        weight = np.minimum(1, _OUTLIER * usual / np.maximum(error, np.float32(1e-9)))
        return np.where(known, weight, np.float32(0))


class SharedRidge:
    """F = base + scale x (w_pool . features): the fit pooled over all series, without sums of their own."""

    name = "ridge"

    def __init__(self, grid: Grid, pool: Pool) -> None:
        self._grid, self._pool = grid, pool

    def point(self, moment: Moment) -> Floats:
        weights = self._pool.ridge(self._grid)[:, None]
        normal = np.matmul(weights, moment.features[:, :RIDGE])[:, 0]
        moment.features[:, RIDGE] = normal
        return moment.root(normal)

    def remember(self, horizon: Horizon, moment: Moment) -> None:
        """The pool's rows are its origins."""

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """Learns from the pool."""
