"""The engine's quantiles and the models', weighed by what each has cost: a convex combination per cell and quantile."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.grid import QUANTILES, Q, T
from predictor.opinions.outlook import LEADS, Doubles

PRIOR = 0.01
"""Weight that each model has at first, and to which it is drawn: what it may cost before it has shown its worth."""
_ETA = (0.1, 0.03)  # per lead of LEADS: at 6 hours errors of a whole morning say the same
_SHARE = 0.001
_RATE = 0.03  # of the models' calibration
_SLOWEST = 0.005  # running means of losses reach back so many origins, 200
_STEEPEST = 20.0
_LEVELS = np.array(QUANTILES)
_SCORES = np.array([NormalDist().inv_cdf(q) for q in QUANTILES])


class Mix:
    """Exponential weights with a fixed share (Herbster and Warmuth 1998): w ~ w exp(-eta loss / usual loss), then
    w = (1 - share) w + share prior, so that what never was any good costs next to nothing and can still come back.

    A model's quantile is (mean + b deviation)^2, b tracked until it is exceeded as often as it promises: b += rate
    (1{truth above} - (1 - q)) (Gibbs and Candes 2021). Cells are [lead of LEADS, target]; competitors K are the engine
    and M models. A model that says nothing is given the engine's quantiles.
    """

    def __init__(self, models: int) -> None:
        cells, self.prior = (len(LEADS), T), np.array([1 - PRIOR * models, *[PRIOR] * models])
        self.weights = np.broadcast_to(self.prior[:, None], (*cells, models + 1, Q)).copy()
        self.scores = np.broadcast_to(_SCORES, (*cells, models, Q)).copy()
        self.losses = np.zeros((*cells, models + 1, Q))
        self.count = np.zeros(cells)

    def competitors(self, engine: Doubles, mean: Doubles, deviation: Doubles, largest: Doubles) -> Doubles:
        """[lead, target, K, Q] of the engine's quantiles [lead, target, Q] and what the models say [lead, target, M];
        none of a model's is above twice the `largest` [M] load that it has seen."""
        roots = np.maximum(mean[..., None] + self.scores * deviation[..., None], 0)
        models = np.minimum(np.sort(roots * roots, axis=-1), 2 * largest[:, None])
        alone = engine[:, :, None]
        return np.concatenate([alone, np.where(np.isfinite(models), models, alone)], axis=2)

    def combined(self, competitors: Doubles) -> Doubles:
        """[lead, target, Q], in order."""
        return np.asarray(np.sort((self.weights * competitors).sum(axis=2), axis=-1))

    def learn(
        self, lead: int, truth: Doubles, competitors: Doubles, mean: Doubles, deviation: Doubles
    ) -> None:
        """`truth` [target] of an origin, NaN for unknown; `competitors` [target, K, Q], `mean`, `deviation` [target, M]
        are what was said of it."""
        for target in np.flatnonzero(np.isfinite(truth) & np.isfinite(competitors).all(axis=(1, 2))):
            cell = lead, int(target)
            self._weigh(cell, truth[target] - competitors[target])
            self._calibrate(cell, np.sqrt(truth[target]), mean[target], deviation[target])

    def _weigh(self, cell: tuple[int, int], error: Doubles) -> None:
        """`error` [K, Q]"""
        loss = np.maximum(_LEVELS * error, (_LEVELS - 1) * error)
        self.count[cell] += 1
        self.losses[cell] += max(1 / self.count[cell], _SLOWEST) * (loss - self.losses[cell])
        usual = np.maximum(self.losses[cell].mean(axis=0), 1e-300)
        gain = np.clip((loss.mean(axis=0) - loss) / usual, -_STEEPEST, _STEEPEST)
        raised = self.weights[cell] * np.exp(_ETA[cell[0]] * gain)
        self.weights[cell] = (1 - _SHARE) * raised / raised.sum(axis=0) + _SHARE * self.prior[:, None]

    def _calibrate(self, cell: tuple[int, int], root: float, mean: Doubles, deviation: Doubles) -> None:
        """`mean` and `deviation` [M] of roots, NaN of a model that said nothing."""
        above = root > mean[:, None] + self.scores[cell] * deviation[:, None]
        said = np.isfinite(mean)[:, None]
        self.scores[cell] += np.where(said, _RATE * (above - (1 - _LEVELS)), 0)

    def loss_ratios(self, quantile: int) -> Doubles:
        """[lead, M]: running losses of the models as ratios to the engine's, mean over the targets; NaN before any."""
        losses = self.losses[..., quantile].mean(axis=1)
        return np.asarray(losses[:, 1:] / np.where(losses[:, :1] > 0, losses[:, :1], np.nan))

    def save(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, name) for name in _KEPT}

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `save` gave. Raises ValueError when it is of other models or another version."""
        for name in _KEPT:
            if name not in saved or saved[name].shape != getattr(self, name).shape:
                raise ValueError(f"saved opinions have no fitting {name}")
            getattr(self, name)[:] = saved[name]


_KEPT = ("weights", "scores", "losses", "count")
