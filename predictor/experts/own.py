"""What the pooled quantile regression gets wrong of a series: a small quantile regression of the series' own on top."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.experts.sums import MEMORY_DAYS, pairs, row_strides, shrinkage, unpacking, usual_size
from predictor.features import NAMES, Moment
from predictor.grid import QUANTILES, Grid, Horizon, Q
from predictor.ordering import sorted_quantiles
from predictor.pool import Pool

FEATURES = ("one", "ridge", "profile", "last", "max60", "yesterday", "error_days", "error_slot")
_ROWS = [NAMES.index(name) for name in FEATURES]
_USUAL_ERROR, _LEAST_ERROR = NAMES.index("error_week"), np.float32(0.02)
_UPPER = slice(1, Q)  # a median of its own gains nothing: there is the ridge
_LEVELS = np.array(QUANTILES[_UPPER], dtype=np.float32)[:, None]
K, U = len(FEATURES), Q - 1
_FULL = unpacking(K)

_SHRINKAGE_MINUTES = 450  # of rows that "no correction" counts for; three times as many for the .99 quantile
_SHRINKAGE = np.array([1, 1, 3])[:, None]
_SMOOTH = np.float32(0.5)  # of the usual error: smaller ones count as that, or a few rows would decide
_RATE = np.float32(0.01)  # of the mean weight


class Own:
    """F_q = P_q + scale x (w_q . features), P_q the pooled quantile, w_q = (G + l M)^-1 v per series and cell.

    Minimizes the pinball loss by majorizing each row's at the error that it had when its truth came (Hunter and
    Lange 2000; incrementally: Mairal 2015): G = sum W x x^T, v = sum W x (y - P), W = (q or 1 - q) / max(|error|,
    half the usual one), decayed over 14 days; M the features' pooled mean squares.
    """

    name = "own"

    def __init__(self, arrays: Arrays, grid: Grid, pool: Pool) -> None:
        self._arrays, self._grid, self._pool = arrays, grid, pool
        arrays.declare("own.gram", (grid.cells, U, pairs(K)))
        arrays.declare("own.moment", (grid.cells, U, K))
        arrays.declare("own.weights", (grid.cells, U, K))
        arrays.declare("own.usual_error", (grid.cells, U), np.nan)
        arrays.declare("own.mean_weight", (grid.cells, U), np.nan)
        self._fade = np.exp(-row_strides(grid) / (MEMORY_DAYS * grid.day)).astype(np.float32)
        self._shrinkage = shrinkage(grid, _SHRINKAGE_MINUTES)[:, None, None] * _SHRINKAGE

    def quantiles(self, moment: Moment) -> tuple[Floats, Floats]:
        normal = moment.pooled.copy()
        normal[:, _UPPER] += _dot(self._arrays["own.weights"], moment.features[:, _ROWS])
        return moment.root(sorted_quantiles(normal)), normal[:, :0]

    def remember(self, horizon: Horizon, moment: Moment, kept: Floats) -> None:
        """Its origins are the rows."""

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """Learns from rows."""

    def learn_row(self, horizon: Horizon, x: Floats, y: Floats, known: Known) -> None:
        """`x` [T, K, series], `y` [T, series]: a row of a lead, truths in the features' units."""
        cells = horizon.cells
        above = y[:, None] - np.matmul(self._pool.quantile(self._grid)[cells, _UPPER], x)
        usual_error = np.maximum(x[:, None, _USUAL_ERROR], _LEAST_ERROR)
        x = x[:, _ROWS]
        weight = self._weight(cells, above - _dot(self._arrays["own.weights"][cells], x), usual_error, known)
        fade = np.where(known, self._fade[horizon.number], np.float32(1))[:, None, None]
        gram, moment = self._arrays["own.gram"][cells], self._arrays["own.moment"][cells]
        gram *= fade
        moment *= fade
        product = np.empty_like(moment)
        for k in range(K):
            weighted = weight * x[:, None, k]
            moment[:, :, k] += weighted * above
            row = gram[:, :, k * (k + 1) // 2 : (k + 1) * (k + 2) // 2]
            row += np.multiply(weighted[:, :, None], x[:, None, : k + 1], out=product[:, :, : k + 1])

    def solve(self, series: slice) -> None:
        """Anew for a few series."""
        gram = np.moveaxis(self._arrays["own.gram"][..., series], -1, 0)[..., _FULL].astype(float)
        penalty = self._shrinkage * self._pool.squares(self._grid)[:, None, _ROWS]
        gram[..., np.arange(K), np.arange(K)] += penalty
        moment = np.moveaxis(self._arrays["own.moment"][..., series], -1, 0)
        weights = np.linalg.solve(gram, moment[..., None])[..., 0]
        self._arrays["own.weights"][..., series] = np.moveaxis(weights, 0, -1)

    def _weight(self, cells: slice, error: Floats, usual_error: Floats, known: Known) -> Floats:
        """[T, U, series], of mean one."""
        size, known = np.abs(error), known[:, None]
        usual, mean = self._arrays["own.usual_error"][cells], self._arrays["own.mean_weight"][cells]
        least = _SMOOTH * usual_size(usual, size, known)
        weight = np.where(error > 0, _LEVELS, 1 - _LEVELS) / np.maximum(size, least) / usual_error
        start = np.where(np.isnan(mean), weight, mean)
        mean[:] = np.where(known, start + _RATE * (weight - start), mean)
        return np.where(known, weight / np.where(known, mean, 1), np.float32(0))


def _dot(weights: Floats, features: Floats) -> Floats:
    """[C, U, K, series] x [C, K, series] -> [C, U, series]"""
    return np.asarray(np.einsum("cukn,ckn->cun", weights, features))
