"""What a saturated workload tells: its load was at least what was measured."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import MAX, Grid, T
from predictor.history import Bin


class Bounds:
    """Which truths are lower bounds: those whose window holds a beat in which the workload was saturated."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays = arrays
        arrays.declare("trust.unsaturated", (), grid.longest)  # beats since the series was saturated last
        windows = np.ones((len(grid.leads), T))
        windows[:, MAX] = grid.lead_beats
        self._windows = windows.reshape(-1, 1).astype(np.float32)

    def see(self, saturated: Known | None) -> None:
        """Take in a beat; None: nobody was saturated."""
        since = self._arrays["trust.unsaturated"]
        since += 1
        if saturated is not None:
            since[saturated] = 0

    @property
    def saturated(self) -> Known:
        """In the newest beat, [series]."""
        return np.asarray(self._arrays["trust.unsaturated"] == 0)

    def lower(self) -> Known:
        """[C, series], of the truths that came with the newest beat."""
        return np.asarray(self._arrays["trust.unsaturated"] < self._windows)


def raised(measured: Bin, expected: Floats, largest: Floats) -> Bin:
    """The beat as history keeps it: where saturated at least what was `expected`, but for that not above the `largest`
    load ever measured, so that expectations can't lift one another.

    The load lies somewhere above the bound, and the forecast made before is the best guess at where. The bound itself in
    its place would be yesterday's peak for the seasons of tomorrow.
    """
    if measured.saturated is None:
        return measured
    guess, saturated = np.minimum(expected, largest), measured.saturated
    loads = (measured.last, measured.mean, measured.largest)
    kept = (np.where(saturated & (guess > load), guess, load).astype(np.float32) for load in loads)
    return Bin(*kept, saturated=saturated)


def certain(known: Known, lower: Known, measured: Floats, upper: Floats) -> Known:
    """Where a truth may teach: a lower bound only where what was just `measured` exceeds the forecast's .95 quantile.

    Then the forecast was too low whatever the load was. Below the quantile the load may have been on either side of it,
    and to take the bound for the load would teach every quantile to come down to what the workload could bear.
    """
    return np.asarray(known & (~lower | (measured > upper)))
