"""Quantiles of the next two minutes by regressions: the one that all series share, and a small one of each series' own on top."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import DAY_MS, SECOND_MS
from predictor.arrays import Arrays, Floats, Known
from predictor.experts.sums import pairs, unpacking
from predictor.grid import QUANTILES, Q
from predictor.nowcast.shared import Shared
from predictor.nowcast.sight import FEATURES, Doubles
from predictor.ordering import sorted_quantiles

EVERY_MS = 65 * SECOND_MS
"""From one row to the next: a little more than a minute, so that all phases of a minute are met."""

OWN = ("one", "back15", "back30", "back60", "mean5", "mean15", "expected50", "expected95")
_OWN = [FEATURES.index(name) for name in OWN]
J = len(OWN)
_FULL = unpacking(J)
_LEVELS = np.array(QUANTILES)[:, None]
_FADE = np.exp(-EVERY_MS / (5 * DAY_MS))
_SHRINKAGE = np.array([150, 150, 150, 450])[:, None]
"""Rows that "nothing of its own" counts for."""
_FARTHEST = 50.0
"""In the features' units: a glitch must not decide for days, or for ever, where its square has no place in a float32."""
_SMOOTH = 0.1
"""Of the usual error: smaller ones count as that, or a few rows would decide."""
_USUAL_RATE, _SHIFT_RATE, _SHIFT_ROWS = 1 / 300, 1 / 500, 20


class Weights(NamedTuple):
    """What is told of features x [K, series]: `shared` x + `own` x + `shift`, ascending over the quantiles. Never changed."""

    shared: Doubles  # [Q, K]
    own: Floats  # [Q, J, series]
    shift: Floats  # [Q, series]

    def of(self, series: int) -> "Weights":
        """Of one series; it may tell of many moments at once."""
        return Weights(self.shared, self.own[..., series, None], self.shift[..., series, None])

    def tell(self, x: Doubles) -> Doubles:
        """[Q, series], in the features' units."""
        told = self.shared @ x + self.corrected(x) + self.shift
        return np.asarray(sorted_quantiles(told[None])[0])

    def corrected(self, x: Doubles) -> Doubles:
        """The series' own part, [Q, series]."""
        return np.asarray((self.own * x[_OWN]).sum(axis=1))


class Regression:
    """Minimizes the pinball loss as `predictor.experts.own` does, by sums of rows that fade, solved now and then.

    What coverage that leaves wrong is followed by a `shift` (Gibbs and Candes 2021). All series' rows come at one time.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._arrays, self._shared = arrays, Shared()
        arrays.declare("gram", (Q, pairs(J)))
        arrays.declare("moment", (Q, J))
        arrays.declare("usual", (Q,))
        arrays.declare("rows", ())
        arrays.declare("shift", (Q,))
        self.solve()

    @property
    def rows(self) -> Floats:
        """How many each series has taught, [series]."""
        rows: Floats = self._arrays["rows"]
        return rows

    def learn(self, x: Doubles, y: Doubles) -> None:
        """`x` [K, series] and what came, `y` [series], in the features' units; NaN where either is unknown."""
        known = np.isfinite(y) & np.isfinite(x).all(axis=0)
        x, y = (np.clip(np.where(known, one, 0), -_FARTHEST, _FARTHEST) for one in (x, y))
        above = y - self.weights.shared @ x
        error = above - self.weights.corrected(x)
        self._shared.take(x, y, known)
        self._take(x[_OWN], above, self._weight(error, known), known)
        shift = self._arrays["shift"]
        rate = _SHIFT_RATE + 1 / (self.rows + _SHIFT_ROWS)
        shift += rate * ((error > shift) - (1 - _LEVELS)) * known

    def solve(self) -> None:
        """New `weights`; to be called when there are more series or others."""
        self._shared.refit()
        gram = np.moveaxis(self._arrays["gram"], -1, 0)[..., _FULL].astype(float)
        gram[..., np.arange(J), np.arange(J)] += _SHRINKAGE * self._shared.squares[_OWN]
        moment = np.moveaxis(self._arrays["moment"], -1, 0)[..., None]
        own = np.moveaxis(np.linalg.solve(gram, moment)[..., 0], 0, -1)
        self.weights = Weights(
            self._shared.weights.copy(), own.astype(np.float32), self._arrays["shift"].copy()
        )

    def save(self) -> dict[str, NDArray[Any]]:
        """All but the arrays."""
        return self._shared.save()

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """All but the arrays. Raises ValueError when it is not of this version's shapes."""
        self._shared.load(saved)

    def _weight(self, error: Doubles, known: Known) -> Doubles:
        """[Q, series]: of a row's square, so that it counts as its pinball loss does; about one in the mean."""
        rows, usual, size = self._arrays["rows"], self._arrays["usual"], np.abs(error)
        rows += known
        usual += known * np.maximum(_USUAL_RATE, 1 / np.maximum(rows, 1)) * (size - usual)
        level = np.where(error > 0, _LEVELS, 1 - _LEVELS) / (_LEVELS * (1 - _LEVELS))
        return np.asarray(known * level * usual / np.maximum(size, _SMOOTH * usual + 1e-9))

    def _take(self, x: Doubles, above: Doubles, weight: Doubles, known: Known) -> None:
        gram, moment, fade = self._arrays["gram"], self._arrays["moment"], np.where(known, _FADE, 1)
        gram *= fade
        moment *= fade
        for j in range(J):
            weighted = weight * x[j]
            moment[:, j] += weighted * above
            gram[:, j * (j + 1) // 2 : (j + 1) * (j + 2) // 2] += weighted[:, None] * x[: j + 1]
