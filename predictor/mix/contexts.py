"""What kind of moment an origin is: which expert is good depends on the time of day and on how restless the load is."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.features import NAMES, Moment
from predictor.grid import Grid

PARTS = 4  # of the UTC day
KINDS = 2  # calm, restless
_VOLATILITY = NAMES.index("volatility")
_HALF_LIFE_DAYS = 3
_RESTLESS = np.float32(0.9)  # times the usual volatility


class Contexts:
    """Part of the day x whether the last hour's mean step is above nine tenths of what is usual."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        self._kept = grid.longest + 1
        self._rate = np.float32(1 - 0.5 ** (1 / (_HALF_LIFE_DAYS * grid.day)))
        arrays.declare("contexts.usual", ())
        arrays.declare("contexts.count", ())
        arrays.declare("contexts.restless", (self._kept,), False, dtype="bool")

    def learn(self, moment: Moment) -> None:
        """Take in an origin and keep whether it was restless."""
        usual, count = self._arrays["contexts.usual"], self._arrays["contexts.count"]
        count += 1
        usual += np.maximum(self._rate, 1 / count) * (_volatility(moment) - usual)
        self._arrays["contexts.restless"][moment.beat % self._kept] = self.restless(moment)

    def restless(self, moment: Moment) -> Known:
        """[series]"""
        return np.asarray(_volatility(moment) > _RESTLESS * self._arrays["contexts.usual"])

    def was_restless(self, origin: int) -> Known:
        """[series], for an origin up to the longest lead ago."""
        kept: Known = self._arrays["contexts.restless"][origin % self._kept]
        return kept

    def part(self, origin: int) -> int:
        return origin % self._grid.day * PARTS // self._grid.day


def _volatility(moment: Moment) -> Floats:
    """Mean distance between neighboring beats of the last hour, [series]."""
    return np.asarray(moment.features[0, _VOLATILITY] * moment.scale)
