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
        found[inside] = sliding_max(values[1:], steps)[origins[inside]]
    return found


def sliding_max(values: Doubles, width: int) -> Doubles:
    """The largest of each window of `width` values, NaN where it has a gap: [len(values) - width + 1].

    Windows of twice the length from two neighboring ones, so that a day of seconds is no work.
    """
    reach, found = 1, values
    while 2 * reach <= width:
        found, reach = np.maximum(found[:-reach], found[reach:]), 2 * reach
    return np.asarray(np.maximum(found[: len(values) - width + 1], found[width - reach :]))
