"""What a saturated workload tells: its load was at least what was measured."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import AT, MAX, Grid, T


class Bounds:
    """Which truths are lower bounds: those whose window holds a beat in which the workload was saturated."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays = arrays
        arrays.declare("trust.unsaturated", (), grid.longest)  # beats since the series was saturated last
        windows = np.ones((len(grid.leads), T))
        windows[:, MAX] = grid.lead_beats
        windows[:, AT] = 1
        self._windows = windows.reshape(-1, 1).astype(np.float32)

    def see(self, saturated: Known | None) -> None:
        """Take in a beat; None: nobody was saturated."""
        since = self._arrays["trust.unsaturated"]
        since += 1
        if saturated is not None:
            since[saturated] = 0

    def lower(self) -> Known:
        """[C, series], of the truths that came with the newest beat."""
        return np.asarray(self._arrays["trust.unsaturated"] < self._windows)


def certain(known: Known, lower: Known, truth: Floats, upper: Floats) -> Known:
    """Where a truth may teach: a lower bound only where it exceeds the forecast's .95 quantile.

    Then the forecast was too low whatever the load was. Below the quantile the load may have been on either side of it,
    and to take the bound for the load would teach every quantile to come down to what the workload could bear.
    """
    return np.asarray(known & (~lower | (truth > upper)))
