"""A safe start: a peak of hours to come is not taken to rise less above the present than one already has."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import MAX, Grid, T
from predictor.history import History

_LONG = 0.25  # days; a lead from which on the time of day decides what comes
_UPPER = 1  # the first quantile that is held up


class SafeStart:
    """Until a day of errors of a long lead has come back, upper quantiles of `max` are at least the last value + its
    largest error so far.

    That error is what the conformal rank ceil((n + 1) q) (Vovk, Gammerman and Shafer 2005) comes to for so few
    independent errors. A first night says nothing of the morning, whatever a regression makes of it.
    """

    def __init__(self, arrays: Arrays, grid: Grid, history: History) -> None:
        self._arrays, self._history = arrays, history
        beats = np.array(grid.lead_beats)
        self._long = slice(int(np.argmax(beats >= _LONG * grid.day)), None)
        self._leads = beats[self._long]
        self._until = grid.day + self._leads[:, None]
        arrays.declare("safe.largest", (len(self._leads),))

    def learn(self, beat: int, load: Floats, known: Known) -> None:
        """`load` [C, series]: truths of the origins one lead ago."""
        young = self._young()
        if young.any():
            largest, good = self._arrays["safe.largest"], young & _peaks(known)[self._long]
            rise = _peaks(load)[self._long] - np.square(self._history.ring("last", beat - self._leads))
            np.maximum(largest, np.where(good, rise, 0), out=largest)

    def apply(self, quantiles: Floats, last: Floats) -> Floats:
        """Loads [C, Q, series], given the last one [series]."""
        young = self._young()
        if not young.any():
            return quantiles
        held = quantiles.copy()
        upper = _peaks(held)[self._long, _UPPER:]
        least = np.where(young, last + self._arrays["safe.largest"], 0)
        np.maximum(upper, least[:, None], out=upper)
        return held

    def _young(self) -> Known:
        return np.asarray(self._history.age <= self._until)


def _peaks(cells: NDArray[Any]) -> NDArray[Any]:
    """The rows of `max` of [C, ...], a view."""
    return cells[MAX::T]
