"""How far above the last week's largest load a quantile may go, learned per series, cell and quantile."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.grid import Grid, Q
from predictor.mix.losses import Norm, pinball
from predictor.mix.weights import exponential, gain

_ETA, _FORGET = 0.1, 0.001
_CAPS = np.array([1e6, 1.2, 1.02, 1.0], dtype=np.float32)[:, None, None]  # the first is none


class Caps:
    """Exponential weights over min(quantile, c x the largest load of seven days) for a few c."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays = arrays
        arrays.declare("caps.weights", (grid.cells, len(_CAPS), Q), 1 / len(_CAPS))
        self._norm = Norm(arrays, "caps", grid)
        self._delay = Delay(arrays, "caps.origins", grid, (Q + 1,))
        strides = grid.cell_strides[:, None, None, None]
        self._eta = (_ETA * strides**0.5).astype(np.float32)
        self._keep = ((1 - _FORGET) ** strides).astype(np.float32)

    def apply(self, quantiles: Floats, largest: Floats) -> Floats:
        """[C, Q, series], given the week's largest load [series]."""
        weights = self._arrays["caps.weights"]
        return np.asarray((weights * _capped(quantiles, largest)).sum(axis=1))

    def remember(self, beat: int, quantiles: Floats, largest: Floats) -> None:
        kept = np.broadcast_to(largest, (len(quantiles), 1, len(largest)))
        self._delay.swap(beat, np.concatenate([quantiles, kept], axis=1))

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        due = self._delay.due(beat)
        n = len(due)
        known = known[:n] & np.isfinite(due[:, 0])
        error = truth[:n, None, None] - _capped(due[:, :Q], due[:, Q])
        losses = pinball(np.where(known[:, None, None], error, 0))
        mean = losses.mean(axis=1)
        gained = gain(losses, mean, self._norm.learn(mean, known))
        keep = np.where(known[:, None, None], self._keep[:n], 1)
        weights = self._arrays["caps.weights"][:n]
        weights[:] = exponential(keep * np.log(weights) + self._eta[:n] * gained)


def _capped(quantiles: Floats, largest: Floats) -> Floats:
    """[C, cap, Q, series]; `largest` [series] or [C, series]."""
    return np.asarray(np.minimum(quantiles[:, None], _CAPS * largest[..., None, None, :]))
