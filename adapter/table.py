"""The newest row of every series, as columns: taking a batch in is a few array operations."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
_REMEMBERED = 64  # batches of the same series come again each tick; so many row lists are kept


class Index:
    """Series ids -> rows. A series keeps its row for ever."""

    def __init__(self) -> None:
        self._row_of: dict[int, int] = {}
        self._known: dict[bytes, Rows] = {}

    def __len__(self) -> int:
        return len(self._row_of)

    def row(self, series: int) -> int | None:
        return self._row_of.get(series)

    def rows(self, series: NDArray[np.uint64]) -> Rows:
        """Rows of the series; new ones get the next rows."""
        key = series.tobytes()
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = [self._row_of.setdefault(one, len(self._row_of)) for one in series.tolist()]
            self._known[key] = np.array(found, dtype=np.intp)
        return self._known[key]


class Table:
    """Columns over the rows of an index, each with a value that stands for "nothing yet"."""

    def __init__(self, columns: Mapping[str, tuple[str, Any]]) -> None:
        """`columns`: name -> (numpy type, value for nothing)."""
        self.index = Index()
        self._nothing = {name: nothing for name, (_, nothing) in columns.items()}
        self._columns = {name: np.full(64, nothing, dtype=kind) for name, (kind, nothing) in columns.items()}

    def rows(self, series: NDArray[np.uint64]) -> Rows:
        """Rows of the series, with room for them in every column."""
        rows = self.index.rows(series)
        for name, column in self._columns.items():
            if len(column) < len(self.index):
                grown = np.full(2 * len(self.index), self._nothing[name], dtype=column.dtype)
                grown[: len(column)] = column
                self._columns[name] = grown
        return rows

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def get(self, name: str, series: int) -> Any:
        """One value as a Python object; that for nothing where the series is unknown."""
        row = self.index.row(series)
        value = self._nothing[name] if row is None else self._columns[name][row]
        return value.item() if isinstance(value, np.generic) else value
