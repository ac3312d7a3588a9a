"""How far above the last week's largest load a quantile may go, learned per series, cell and quantile."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.grid import Grid, Horizon, Q
from predictor.mix.losses import Norm, pinball
from predictor.mix.weights import gain, moved

_ETA, _FORGET = 0.1, 0.001
_CAPS = np.array([1e6, 1.2, 1.02, 1.0], dtype=np.float32)[:, None, None]  # the first is none


class Caps:
    """Exponential weights over min(quantile, c x the largest load of seven days) for a few c."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        arrays.declare("caps.weights", (grid.cells, len(_CAPS), Q), 1 / len(_CAPS))
        self._norm = Norm(arrays, "caps", grid)
        self._delay = Delay(arrays, "caps.origins", grid, (Q + 1,))

    def apply(self, quantiles: Floats, largest: Floats) -> Floats:
        """[C, Q, series], given the week's largest load [series]."""
        weights = self._arrays["caps.weights"]
        return np.asarray((weights * _capped(quantiles, largest)).sum(axis=1))

    def remember(self, beat: int, quantiles: Floats, largest: Floats) -> None:
        for horizon in self._grid.begun(beat):
            of = quantiles[horizon.cells]
            kept = np.broadcast_to(largest, (len(of), 1, len(largest)))
            self._delay.keep(horizon, beat, np.concatenate([of, kept], axis=1))

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """`truth` [T, series], loads."""
        due, stride = self._delay.due(horizon, beat), horizon.origins.stride
        known = known & np.isfinite(due[:, 0])
        error = truth[:, None, None] - _capped(due[:, :Q], due[:, Q])
        losses = pinball(np.where(known[:, None, None], error, 0))
        mean = losses.mean(axis=1)
        gained = gain(losses, mean, self._norm.learn(horizon, mean, known))
        gained *= np.float32(_ETA * stride**0.5)
        weights = self._arrays["caps.weights"][horizon.cells]
        new = moved(weights, (1 - _FORGET) ** stride, gained)
        weights[:] = np.where(known[:, None, None], new, weights)


def _capped(quantiles: Floats, largest: Floats) -> Floats:
    """[C, cap, Q, series]; `largest` [series] or [C, series]."""
    return np.asarray(np.minimum(quantiles[:, None], _CAPS * largest[..., None, None, :]))
