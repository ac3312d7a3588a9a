"""The unit of the log: one batch of rows about one moment, in named typed columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any] | tuple[str, ...]
"""A numeric array (float64, float32, int64, uint64, uint32 or uint8) or a tuple of texts."""

COLUMN_TYPES = tuple(map(np.dtype, ("float64", "float32", "int64", "uint64", "uint32", "uint8")))


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows about `time_ms`; row i of every column is about `series[i]`.

    `key` names what a compacted topic keeps the newest of ("" elsewhere). `epoch` grows with every start of
    a collector: of two samples of one series and time the one with the higher epoch stands.
    Raises ValueError when the columns' lengths or types do not fit: a bug of the caller, never input.
    """

    topic: str
    time_ms: int
    series: NDArray[np.uint64]
    columns: Mapping[str, Column] = field(default_factory=dict)
    key: str = ""
    epoch: int = 0

    def __post_init__(self) -> None:
        if self.series.dtype != np.uint64:
            raise ValueError(f"series must be uint64, not {self.series.dtype}")
        for name, column in self.columns.items():
            if len(column) != len(self.series):
                raise ValueError(f"column {name} has {len(column)} rows, series {len(self.series)}")
            if isinstance(column, np.ndarray) and column.dtype not in COLUMN_TYPES:
                raise ValueError(f"column {name} can't be {column.dtype}")

    @property
    def nbytes(self) -> int:
        """About as many as its record has."""
        texts = (sum(map(len, c)) + 4 * len(c) for c in self.columns.values() if isinstance(c, tuple))
        numbers = (c.nbytes for c in self.columns.values() if isinstance(c, np.ndarray))
        return 64 + self.series.nbytes + sum(texts) + sum(numbers)

    def numbers(self, name: str) -> NDArray[Any]:
        """A numeric column. Raises KeyError if the batch has none of that name."""
        column = self.columns[name]
        if isinstance(column, tuple):
            raise KeyError(f"{name} holds texts")
        return column

    def texts(self, name: str) -> tuple[str, ...]:
        """A text column. Raises KeyError if the batch has none of that name."""
        column = self.columns[name]
        if not isinstance(column, tuple):
            raise KeyError(f"{name} holds numbers")
        return column

    def rows(self, start: int, stop: int) -> "Batch":
        """The rows [start, stop) as a batch of their own."""
        cut = {name: column[start:stop] for name, column in self.columns.items()}
        return Batch(self.topic, self.time_ms, self.series[start:stop], cut, self.key, self.epoch)


def series_ids(ids: Sequence[int]) -> NDArray[np.uint64]:
    """Ids as the array that a batch wants."""
    return np.array(ids, dtype=np.uint64)
