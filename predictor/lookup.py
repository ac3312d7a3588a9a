"""Rows of series ids, kept at hand: records of minutes come with the same lists of ids again and again."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
_REMEMBERED = 16


class Lookup:
    """Remembers what `rows_of` gave for the newest few lists; a series never changes its row."""

    def __init__(self, rows_of: Callable[[list[int]], Rows]) -> None:
        self._rows_of = rows_of
        self._known: dict[bytes, Rows] = {}
        self._newest: tuple[NDArray[np.uint64], Rows] | None = None

    def __call__(self, series: NDArray[np.uint64]) -> Rows:
        if self._newest is None or not np.array_equal(series, self._newest[0]):
            self._newest = series, self._found(series)
        return self._newest[1]

    def _found(self, series: NDArray[np.uint64]) -> Rows:
        key = series.tobytes()
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = self._rows_of(series.tolist())
        return self._known[key]
