"""Forecasts beside their opponent: compared when their truth has come, summed up over a day, judged."""

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known
from predictor.trust.baseline import Baseline
from predictor.trust.judge import Causes, State, faults, judged
from predictor.trust.record import Day, Record, compared

LAST, BASELINE, MEDIAN, UPPER = range(4)
"""What is kept of an origin until then: the last value, the opponent's quantile, and ours."""


class Verdict:
    """Of cells that learn every `strides` [C] beats, of which a `day` has so many, and look `leads` [C] beats ahead."""

    def __init__(
        self, arrays: Arrays, strides: NDArray[np.float64], leads: NDArray[np.float64], day: int
    ) -> None:
        self._arrays, cells = arrays, len(strides)
        self.baseline, self.record = Baseline(arrays, strides, day), Record(arrays, cells, day)
        arrays.declare("trust.wait", (cells,))
        arrays.declare("trust.causes", (cells,), dtype="uint8")
        self._days = (strides / day).astype(np.float32)[:, None]
        self._leads = (leads / day).astype(np.float32)[:, None]

    @property
    def causes(self) -> Causes:
        """[C, series]: why what is told is not trusted."""
        causes: Causes = self._arrays["trust.causes"]
        return causes

    def compare(
        self, beat: int, cells: slice, truth: Floats, origin: Floats, known: Known, counted: Known
    ) -> None:
        """`truth` [cell, series] of `origin` [cell, 4, series]: the opponent learns where it is `known`, and the day has what is
        `counted`."""
        one = compared(truth, origin[:, MEDIAN], origin[:, UPPER], origin[:, BASELINE], counted)
        self.record.learn(beat, cells, one)
        self.baseline.learn(cells, np.where(known, truth - origin[:, LAST], 0), known)
        self._judge(cells, Day(*self.record.sums(cells)))

    def _judge(self, cells: slice, day: Day) -> None:
        wait, causes = self._arrays["trust.wait"][cells], self._arrays["trust.causes"][cells]
        share = day.count * self._days[cells]
        found = faults(day, share / self._leads[cells])
        wait[:], causes[:] = judged(State(wait, causes), found, share, self._days[cells])
