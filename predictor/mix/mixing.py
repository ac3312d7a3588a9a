"""The mix of the experts: three ways to weigh them, per series, cell and quantile."""

from collections.abc import Sequence

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.features import Moment
from predictor.grid import Grid, Horizon, Q, T
from predictor.mix.contexts import KINDS, PARTS, Contexts
from predictor.mix.losses import LEVELS, Norm, pinball
from predictor.mix.weights import gain, moved, shared

_FORGET = 0.001
_ETA = (0.15, 0.15, 0.15, 0.075, 0.075)  # per lead of LEADS_MS: long leads' losses repeat one another
_WHOLE = np.float32(2**15 - 1)
"""A weight of one in the integers that keep those of the contexts: numpy converts float16 one number at a time."""
_GLOBAL, _LOCAL, _POLY = np.float32(0.18), np.float32(0.42), np.float32(0.4)


class Mix:
    """Exponential weights (Vovk 1990), log w += eta (mean loss - loss) / n, once for all origins and once more for
    those of the same context; and ML-Poly (Gaillard, Stoltz and van Erven 2014), w ~ max(R, 0) / (1 + sum r^2),
    R = sum r, r the regret to its own output, linearized there.

    Loads [E experts, C cells]; all forget, and learn from each origin when its truth is known.
    """

    def __init__(self, arrays: Arrays, grid: Grid, start: Sequence[float]) -> None:
        """`start`: the experts' weights in a series of which nothing is known, but for the longest lead: what is good
        there is good from the first day, and losses that tell come slowly."""
        self._arrays, self._grid = arrays, grid
        shape = (grid.cells, len(start), Q)
        shares = np.tile(np.array(start, dtype=np.float32)[:, None], (grid.cells, 1, 1))
        shares[-T:] = 1
        self._start = shares / shares.sum(axis=1, keepdims=True)
        arrays.declare("mix.weights", shape, self._start)
        arrays.declare("mix.local", (PARTS, KINDS, *shape), self._start * _WHOLE, dtype="int16")
        arrays.declare("mix.poly", shape, self._start)
        arrays.declare("mix.regret", shape)
        arrays.declare("mix.squares", shape)
        self._norm = Norm(arrays, "mix", grid)
        self._contexts = Contexts(arrays, grid)
        self._delay = Delay(arrays, "mix.origins", grid, (len(start) + 1, Q))

    def combine(self, moment: Moment, quantiles: Floats) -> tuple[Floats, Floats]:
        """[C, E, Q, series] -> what to serve and what ML-Poly alone would, [C, Q, series]."""
        local = self._arrays["mix.local"][self._contexts.part(moment.beat)]
        weights = np.where(self._contexts.restless(moment), local[1], local[0]).astype(np.float32)
        weights *= _LOCAL / _WHOLE
        weights += _GLOBAL * self._arrays["mix.weights"]
        poly = _sum(self._arrays["mix.poly"], quantiles)
        return _sum(weights, quantiles) + _POLY * poly, poly

    def remember(self, moment: Moment, quantiles: Floats, poly: Floats) -> None:
        self._contexts.learn(moment)
        for horizon in self._grid.begun(moment.beat):
            cells = horizon.cells
            kept = np.concatenate([quantiles[cells], poly[cells, None]], axis=1)
            self._delay.keep(horizon, moment.beat, kept)

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """`truth` [T, series], loads."""
        due, stride = self._delay.due(horizon, beat), horizon.origins.stride
        known = known & np.isfinite(due[:, 0, 0])
        error = np.where(known[:, None, None], truth[:, None, None] - due, 0)
        losses = pinball(error[:, :-1])
        mean = losses.mean(axis=1)
        norm = self._norm.learn(horizon, mean, known)
        gained = gain(losses, mean, norm)
        gained *= np.float32(_ETA[self._grid.leads[horizon.number]] * stride**0.5)
        keep = (1 - _FORGET) ** stride
        self._learn_weights(horizon, beat, gained, keep, known[:, None, None])
        self._learn_poly(horizon, error, norm, keep, known[:, None, None])

    def _learn_weights(self, horizon: Horizon, beat: int, gained: Floats, keep: float, known: Known) -> None:
        cells, origin = horizon.cells, beat - horizon.beats
        weights = self._arrays["mix.weights"][cells]
        weights[:] = np.where(known, moved(weights, keep, gained), weights)
        local = self._arrays["mix.local"][self._contexts.part(origin)]
        calm, restless = local[0, cells], local[1, cells]
        was = self._contexts.was_restless(origin)
        old = np.where(was, restless, calm).astype(np.float32)
        new = np.rint(moved(old / _WHOLE, keep, gained) * _WHOLE).astype(np.int16)
        restless += (new - restless) * (known & was)
        calm += (new - calm) * (known & ~was)

    def _learn_poly(self, horizon: Horizon, error: Floats, norm: Floats, keep: float, known: Known) -> None:
        """`error` [T, E + 1, Q, series]: the last is ML-Poly's own."""
        own = error[:, -1:]
        regret = own - error[:, :-1]
        regret *= (LEVELS - (own <= 0)) / norm[:, None]
        fade = np.where(known, np.float32(keep), 1)
        sums, squares = (self._arrays[f"mix.{name}"][horizon.cells] for name in ("regret", "squares"))
        sums *= fade
        sums += regret
        squares *= fade
        squares += np.square(regret, out=regret)
        raised = np.maximum(sums, 0)
        raised /= 1 + squares
        total = raised.sum(axis=1, keepdims=True)
        none = total <= 1e-15
        weights = np.where(
            none, self._start[horizon.cells, ..., None], shared(raised, np.where(none, 1, total))
        )
        self._arrays["mix.poly"][horizon.cells] = weights


def _sum(weights: Floats, quantiles: Floats) -> Floats:
    return np.asarray(np.einsum("ceqn,ceqn->cqn", weights, quantiles))
