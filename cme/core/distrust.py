"""Why forecasts of a series are not trusted: three bits per cell, packed into one number that a record can hold."""

from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

BITS = 3


class Cause(IntFlag):
    """What was worse than it may be over a day; the opponent is the last value with its own conformal quantile."""

    NONE = 0
    LOSS = 1  # the pinball loss was above the opponent's
    OVER = 2  # more was provided in vain than by the opponent
    COVERAGE = 4  # the .95 quantile covered too little


def packed(causes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """[cell, series] -> [series]; at most ten cells."""
    shifts = BITS * np.arange(len(causes), dtype=np.uint32)[:, None]
    return np.asarray(np.bitwise_or.reduce(causes.astype(np.uint32) << shifts, axis=0), dtype=np.uint32)


def unpacked(distrust: NDArray[np.uint32], cells: int) -> NDArray[Any]:
    """[series] -> [cell, series]"""
    shifts = BITS * np.arange(cells, dtype=np.uint32)[:, None]
    return np.asarray((distrust >> shifts) & np.uint32(2**BITS - 1), dtype=np.uint8)
