"""What happened after an origin."""

import numpy as np
from numpy.typing import NDArray

from predictor.grid import AT, TARGETS

Doubles = NDArray[np.float64]


def truth_of(target: str, values: Doubles, origins: NDArray[np.intp], steps: int) -> Doubles:
    """[origin]: of `values` [step] the one `steps` after each origin, or the largest up to it.

    NaN behind the end of the values, and for a largest value of a window with a gap.
    """
    found = np.full(len(origins), np.nan)
    inside = origins + steps < len(values)
    if target == TARGETS[AT]:
        found[inside] = values[origins[inside] + steps]
    elif inside.any():
        windows = np.lib.stride_tricks.sliding_window_view(values[1:], steps).max(axis=1)
        found[inside] = windows[origins[inside]]
    return found
