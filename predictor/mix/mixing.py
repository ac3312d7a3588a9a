"""The mix of the experts: the mean of two ways to weigh them, per series, cell and quantile."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.grid import Grid, Q
from predictor.mix.losses import LEVELS, Norm, pinball
from predictor.mix.weights import exponential, gain, shared

FORGET = 0.003
_ETA = (0.1, 0.1, 0.1, 0.05, 0.05)  # per lead of LEADS_MS: long leads' losses repeat one another


class Mix:
    """Exponential weights (Vovk 1990): log w += eta (mean loss - loss) / n, and ML-Poly (Gaillard, Stoltz and
    van Erven 2014): w ~ max(R, 0) / (1 + sum r^2), R = sum r, r the regret to the mix linearized at what it served.

    Loads [E experts, C cells]; both forget, and learn from each origin when its truth is known.
    """

    def __init__(self, arrays: Arrays, grid: Grid, experts: int) -> None:
        self._arrays, self._experts = arrays, experts
        shape = (grid.cells, experts, Q)
        arrays.declare("mix.weights", shape, 1 / experts)
        arrays.declare("mix.log_weights", shape, -np.log(experts))
        arrays.declare("mix.regret", shape)
        arrays.declare("mix.squares", shape)
        self._norm = Norm(arrays, "mix", grid)
        self._delay = Delay(arrays, "mix.origins", grid, (experts + 1, Q))
        strides = grid.cell_strides[:, None, None, None]
        self._eta = (np.repeat([_ETA[i] for i in grid.leads], 2)[:, None, None, None] * strides**0.5).astype(
            "f"
        )
        self._keep = ((1 - FORGET) ** strides).astype(np.float32)

    def combine(self, quantiles: Floats) -> Floats:
        """[C, E, Q, series] -> [C, Q, series]"""
        return np.asarray((self._arrays["mix.weights"] * quantiles).sum(axis=1))

    def remember(self, beat: int, quantiles: Floats, mixed: Floats) -> None:
        self._delay.swap(beat, np.concatenate([quantiles, mixed[:, None]], axis=1))

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        """`truth` [C, series], loads."""
        due = self._delay.due(beat)
        n = len(due)
        known = known[:n] & np.isfinite(due[:, 0, 0])
        error = np.where(known[:, None, None], truth[:n, None, None] - due, 0)
        losses = pinball(error[:, :-1])
        mean = losses.mean(axis=1)
        norm = self._norm.learn(mean, known)
        keep = np.where(known[:, None, None], self._keep[:n], 1)
        exponential_ = self._exponential(gain(losses, mean, norm), keep)
        poly = self._poly(error, norm, keep)
        self._arrays["mix.weights"][:n] = (exponential_ + poly) / 2

    def _exponential(self, gained: Floats, keep: Floats) -> Floats:
        n = len(gained)
        log_weights = self._arrays["mix.log_weights"][:n]
        weights = exponential(keep * log_weights + self._eta[:n] * gained)
        np.log(weights, out=log_weights)
        return weights

    def _poly(self, error: Floats, norm: Floats, keep: Floats) -> Floats:
        """`error` [n, E + 1, Q, series]: the last is the mix's own."""
        n, own = len(error), error[:, -1:]
        slope = np.where(own > 0, LEVELS, LEVELS - 1) / norm[:, None]
        regret = slope * (own - error[:, :-1])
        sums, squares = self._arrays["mix.regret"][:n], self._arrays["mix.squares"][:n]
        sums *= keep
        sums += regret
        squares *= keep
        squares += regret * regret
        raised = np.maximum(sums, 0) / (1 + squares)
        total = raised.sum(axis=1, keepdims=True)
        none = total <= 1e-15
        return np.where(none, np.float32(1 / self._experts), shared(raised, np.where(none, 1, total)))
