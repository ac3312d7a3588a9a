"""What all series teach one another: a sample of rows, and the regressions fitted to it a little at a time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Floats, Known
from predictor.features import NAMES, PROFILE, RIDGE, K
from predictor.grid import QUANTILES, Grid, L, Q, T
from predictor.quantile_fit import quantile_fit
from predictor.rows import Steps, from_steps

ROWS = 24576
"""Rows kept per lead and target: two weeks of twelve in ten minutes."""
ROWS_AT_ONCE = 12
_FEWEST, _MATURE = 200, 4096
_MEMORY_DAYS = 14
# A row counts by what is usual for its series: the noisiest must not decide for all.
_USUAL_ERROR, _LEAST_ERROR = NAMES.index("error_week"), 0.02
_TASKS = L * T * (Q + 1)
_TASK_MINUTES = 15
# Until there are rows: the ridge's point, and normal quantiles of its errors.
_SHARES = {"error_slot": (0, 1.0, 1.3, 1.8), "error_days": (0, 0.5, 0.65, 0.9)}


class Pool:
    """Shared by all engines; the cells are (lead of LEADS_MS, target)."""

    def __init__(self) -> None:
        self._features = np.zeros((L, T, ROWS, K), dtype=np.int16)
        self._truths = np.zeros((L, T, ROWS), dtype=np.float32)
        self._days = np.full((L, T, ROWS), -np.inf)
        self._taken = np.zeros((L, T), dtype=np.int64)
        self._ridge = np.zeros((L, T, RIDGE), dtype=np.float32)
        self._ridge[..., PROFILE] = 1
        self._squares = np.ones((L, T, K), dtype=np.float32)
        self._quantile = np.zeros((L, T, Q, K), dtype=np.float32)
        self._quantile[..., RIDGE] = 1
        for name, shares in _SHARES.items():
            self._quantile[..., NAMES.index(name)] = shares
        self._fewest = np.array(_FEWEST)  # rows from which on a fit is better than where it started
        self._clock = np.array([-np.inf, 0.0])  # when the last task was done, in days; how many were

    @property
    def mature(self) -> bool:
        """Whether all fits rest on enough rows to be where others start from."""
        return bool((self._taken >= _MATURE).all())

    def coefficients(self) -> dict[str, Floats]:
        """All that the fits say."""
        return {"ridge": self._ridge, "squares": self._squares, "quantile": self._quantile}

    def start_from(self, coefficients: Mapping[str, Floats]) -> None:
        """Take over what a mature pool's `coefficients` were, until there are as many rows."""
        for name, array in self.coefficients().items():
            array[:] = coefficients[name]
        self._fewest[...] = _MATURE

    def ridge(self, grid: Grid) -> Floats:
        """[C, RIDGE]"""
        return self._ridge[list(grid.leads)].reshape(grid.cells, RIDGE)

    def squares(self, grid: Grid) -> Floats:
        """Mean squares of the features, [C, K]."""
        return self._squares[list(grid.leads)].reshape(grid.cells, K)

    def quantile(self, grid: Grid) -> Floats:
        """[C, Q, K]"""
        return self._quantile[list(grid.leads)].reshape(grid.cells, Q, K)

    def take(self, lead: int, day: float, features: Steps, truths: Floats, known: Known) -> None:
        """Keep rows of a lead of LEADS_MS: `features` [T, K, n] in steps, `truths` [T, n] in the features' units."""
        for target in range(T):
            good = known[target]
            count = int(good.sum())
            places = (self._taken[lead, target] + np.arange(count)) % ROWS
            self._features[lead, target, places] = features[target][:, good].T
            self._truths[lead, target, places] = truths[target, good]
            self._days[lead, target, places] = day
            self._taken[lead, target] += count

    def refit(self, day: float) -> None:
        """Do what fell due since the last call: one regression of one cell every quarter of an hour."""
        since, done = self._clock
        if day - since > 1:
            since = day - _TASK_MINUTES / 1440
        due = min(4, int((day - since) * 1440 / _TASK_MINUTES + 1e-6))
        for _ in range(due):
            self._fit(int(done) % _TASKS, day)
            since, done = since + _TASK_MINUTES / 1440, done + 1
        self._clock[:] = since, done

    def save(self) -> dict[str, NDArray[Any]]:
        return {f"pool{name}": value for name, value in vars(self).items()}

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Raises ValueError when it is not of this version's shapes."""
        for name, value in vars(self).items():
            new = saved.get(f"pool{name}")
            if new is None or new.shape != value.shape or new.dtype != value.dtype:
                raise ValueError(f"saved state has no fitting pool{name}")
            value[...] = new

    def _fit(self, task: int, day: float) -> None:
        cell, what = divmod(task, Q + 1)
        lead, target = divmod(cell, T)
        if self._taken[lead, target] < self._fewest:
            return
        count = min(ROWS, self._taken[lead, target])
        x = from_steps(self._features[lead, target, :count])
        y = self._truths[lead, target, :count]
        age = np.exp((self._days[lead, target, :count] - day) / _MEMORY_DAYS).astype(np.float32)
        age /= np.maximum(x[:, _USUAL_ERROR], _LEAST_ERROR)
        if what == Q:
            self._squares[lead, target] = (np.minimum(np.abs(x), 10) ** 2).mean(axis=0) + 1e-3
            penalty = 10 * self._squares[lead, target, :RIDGE]
            self._ridge[lead, target] = _ridge(x[:, :RIDGE], y, age, penalty)
        else:
            penalty = 5 * self._squares[lead, target] + 0.1
            w = self._quantile[lead, target, what]
            self._quantile[lead, target, what] = quantile_fit(x, y, age, QUANTILES[what], w, penalty)


def _ridge(x: Floats, y: Floats, weight: Floats, penalty: Floats) -> Floats:
    """Least squares shrunk to the profile."""
    prior = np.zeros(RIDGE)
    prior[PROFILE] = 1
    weighted = x * weight[:, None]
    gram = (weighted.T @ x).astype(float) + np.diag(penalty)
    return np.linalg.solve(gram, weighted.T @ y + penalty * prior).astype(np.float32)
