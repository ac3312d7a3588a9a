"""The past of every series for the page: a ring of periods, float32, forgotten as it turns."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adapter.table import Index

Floats = NDArray[np.float32]


class History:
    """The newest `slots` periods of `period_ms`, each named by its end."""

    def __init__(self, period_ms: int, slots: int, columns: Sequence[str]) -> None:
        self.period_ms = period_ms
        self._index = Index()
        self._ends = np.zeros(slots, dtype=np.int64)
        self._columns: dict[str, Floats] = {
            name: np.full((slots, 64), np.nan, dtype=np.float32) for name in columns
        }

    def put(self, end_ms: int, series: NDArray[np.uint64], values: dict[str, NDArray[np.floating]]) -> None:
        """Store values of the period that ends at `end_ms`; one older than the ring is left out."""
        slot = end_ms // self.period_ms % len(self._ends)
        if end_ms < self._ends[slot]:
            return
        rows = self._index.rows(series)
        self._widen()
        if end_ms > self._ends[slot]:
            self._ends[slot] = end_ms
            for column in self._columns.values():
                column[slot] = np.nan
        for name, value in values.items():
            self._columns[name][slot, rows] = value

    def get(self, series: int, since_ms: int) -> tuple[list[int], dict[str, list[float]]]:
        """The ends after `since_ms`, ascending, and the columns at them; NaN for a gap within them."""
        order = np.argsort(self._ends, kind="stable")
        slots = order[self._ends[order] > since_ms]
        row = self._index.row(series)
        if row is None:
            return [], {name: [] for name in self._columns}
        columns = {name: column[slots, row].tolist() for name, column in self._columns.items()}
        return self._ends[slots].tolist(), columns

    def _widen(self) -> None:
        for name, column in self._columns.items():
            if column.shape[1] < len(self._index):
                grown = np.full((column.shape[0], 2 * len(self._index)), np.nan, dtype=np.float32)
                grown[:, : column.shape[1]] = column
                self._columns[name] = grown
