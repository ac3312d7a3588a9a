"""What the regressions that learn from rows have in common: packed symmetric sums, the usual size of an error, shrinkage."""

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import MINUTE_MS
from predictor.arrays import Floats, Known
from predictor.grid import Grid, T
from predictor.rows import row_horizons

MEMORY_DAYS = 14
_STEP = np.float32(0.03)  # by which share the usual error is moved towards a new one


def unpacking(size: int) -> NDArray[np.intp]:
    """Where each element [size, size] of a symmetric matrix is among those of its lower triangle, row by row."""
    rows, columns = np.tril_indices(size)
    places = np.zeros((size, size), dtype=np.intp)
    places[rows, columns] = places[columns, rows] = np.arange(len(rows))
    return places


def pairs(size: int) -> int:
    """Elements of a lower triangle."""
    return size * (size + 1) // 2


def usual_size(usual: Floats, size: Floats, known: Known) -> Floats:
    """The median of sizes, followed in steps: moves `usual` where `known` and returns it as moved everywhere."""
    start = np.where(np.isnan(usual), size, usual)
    moved = start * np.where(size > start, 1 + _STEP, 1 - _STEP) + np.float32(1e-9)
    usual[:] = np.where(known, moved, usual)
    return moved


def row_strides(grid: Grid) -> NDArray[np.float64]:
    """Beats between two rows of a lead."""
    return np.array([horizon.origins.stride for horizon in row_horizons(grid)])


def shrinkage(grid: Grid, minutes: float) -> NDArray[np.float64]:
    """How many rows of a cell so many minutes of them are, [C]."""
    return np.repeat(minutes * MINUTE_MS / grid.beat_ms / row_strides(grid), T)
