"""What all series teach one another about the next two minutes: a sample of rows, and the regression fitted to it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Known
from predictor.grid import QUANTILES, Q
from predictor.nowcast.sight import FEATURES, Doubles, K
from predictor.quantile_fit import quantile_fit

ROWS = 16384
ROWS_AT_ONCE = 12
"""Of different series, in turn: neighbouring rows of one say nearly the same."""
_NEWS = 0.05
"""So large a share of the rows must be new for another fit."""
_PENALTY_ROWS = 70
"""That each of a fit's reweightings counts the weights before it for."""

START = np.zeros((Q, K))
"""[Q, K]: where the fits start: about as far on the way from now to what is expected of five minutes as the root of time is."""
START[np.arange(Q), [FEATURES.index(f"expected{q * 100:.0f}") for q in QUANTILES]] = 0.63


class Shared:
    """`weights` [Q, K] and the features' mean `squares` [K]."""

    def __init__(self) -> None:
        self._x, self._y = np.zeros((ROWS, K), dtype=np.float32), np.zeros(ROWS, dtype=np.float32)
        # Rows taken, as many as there were at the last fit, and how often some came.
        self._counts = np.zeros(3, dtype=np.int64)
        self.weights, self.squares = START.copy(), np.ones(K)

    def take(self, x: Doubles, y: Doubles, known: Known) -> None:
        """Keep a few rows of `x` [K, series] and `y` [series]."""
        taken, _, times = self._counts.tolist()
        rows = np.flatnonzero(known)
        some = np.roll(rows, -(times * ROWS_AT_ONCE % max(1, len(rows))))[:ROWS_AT_ONCE]
        places = (taken + np.arange(len(some))) % ROWS
        self._x[places], self._y[places] = x[:, some].T, y[some]
        self._counts += (len(some), 0, 1)

    def refit(self) -> None:
        """If there are enough new rows."""
        taken, fitted, _ = self._counts.tolist()
        count = min(taken, ROWS)
        if taken - fitted <= _NEWS * count:
            return
        x, y, alike = self._x[:count], self._y[:count], np.ones(count, dtype=np.float32)
        self.squares = (x.astype(float) ** 2).mean(axis=0) + 1e-6
        penalty = (_PENALTY_ROWS * self.squares).astype(np.float32)
        for q, quantile in enumerate(QUANTILES):
            start = self.weights[q].astype(np.float32)
            self.weights[q] = quantile_fit(x, y, alike, quantile, start, penalty)
        self._counts[1] = taken

    def save(self) -> dict[str, NDArray[Any]]:
        return {f"shared{name}": value for name, value in self._state().items()}

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Raises ValueError when it is not of this version's shapes."""
        for name, value in self._state().items():
            new = saved.get(f"shared{name}")
            if new is None or new.shape != value.shape or new.dtype != value.dtype:
                raise ValueError(f"saved state has no fitting shared{name}")
            value[...] = new

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            "_x": self._x,
            "_y": self._y,
            "_counts": self._counts,
            "_weights": self.weights,
            "_squares": self.squares,
        }
