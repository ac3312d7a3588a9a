"""The opponent: the last value with the .95 quantile of its own past errors on top."""

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known

LEVEL = np.float32(0.95)
_RATE = 0.04  # of a lead that learns on every beat
_FEW = 20  # errors, below which a conformal rank ceil((n + 1) q) is that of the largest
_DAYS = 7


class Baseline:
    """last + b, where b moves by rate x size until it is exceeded as often as it should be (Gibbs and Candes 2021);
    size is the mean distance of the errors from b over a week.

    Stands for the quantile of a rolling week without its 8 kB a cell and series, and is if anything the harder
    opponent: `python -m tests.bench.baseline` compares the two.
    """

    def __init__(self, arrays: Arrays, strides: NDArray[np.float64], day: int) -> None:
        """`strides`: beats between two origins of a cell, [C]; a `day` has so many beats."""
        self._arrays = arrays
        for name in ("above", "size", "count"):
            arrays.declare(f"trust.baseline.{name}", (len(strides),))
        self._rate = (_RATE * strides**0.5).astype(np.float32)[:, None]
        self._week = (strides / (_DAYS * day)).astype(np.float32)[:, None]

    def quantile(self, last: Floats) -> Floats:
        """[C, series], from the last value [series]."""
        return np.asarray(last + self._arrays["trust.baseline.above"])

    def learn(self, cells: slice, errors: Floats, known: Known) -> None:
        """`errors` of some cells, [cell, series]: truth less last value; finite where `known`."""
        above, size, count = (
            self._arrays[f"trust.baseline.{name}"][cells] for name in ("above", "size", "count")
        )
        distance = errors - above
        count += known
        size += np.where(known, np.maximum(self._week[cells], 1 / np.maximum(count, 1)), 0) * (
            np.abs(distance) - size
        )
        largest = np.where(count > 1, np.maximum(distance, 0), distance)
        moved = self._rate[cells] * size * np.where(distance > 0, LEVEL, LEVEL - 1)
        above += np.where(known, np.where(count <= _FEW, largest, moved), 0)
