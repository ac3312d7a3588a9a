"""What a log holds of a run: samples, minutes and decisions."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cme.core.batch import Batch
from cme.log.protocol import Log
from tests.crash.busy_up import line
from tests.crash.kill_up import read_all

KEPT = ("samples", "minutes", "decisions")
"""Topics of which no record is replaced by a newer one."""


@dataclass(frozen=True)
class Row:
    """Of a sample, a minute or a decision: the columns that are numbers, by name."""

    series: int
    time_ms: int
    numbers: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.numbers[name]


@dataclass(frozen=True)
class Content:
    batches: Sequence[Batch]

    @classmethod
    def of(cls, open_log: Callable[[], Log]) -> "Content":
        """Raises AssertionError when a record is damaged."""
        with contextlib.closing(open_log()) as log:
            return cls([batch for batch in read_all(log) if batch.topic in KEPT])

    @cached_property
    def digests(self) -> set[str]:
        """Of all records."""
        return {line(batch) for batch in self.batches}

    @cached_property
    def samples(self) -> list[Row]:
        """Those with a value, in the order of their writing."""
        names = ("value", "measured_ms")
        return [row for row in self._rows("samples", names) if math.isfinite(row["value"])]

    @cached_property
    def minutes(self) -> dict[tuple[int, int], Row]:
        """As they were told last, by series and end."""
        names = ("mean", "max", "last", "count")
        return {(row.series, row.time_ms): row for row in self._rows("minutes", names)}

    @cached_property
    def decisions(self) -> list[Row]:
        return list(self._rows("decisions", ("value", "raw", "raw_ms", "predicted", "predicted_ms")))

    def _rows(self, topic: str, names: Sequence[str]) -> Iterator[Row]:
        for batch in self.batches:
            if batch.topic == topic:
                columns = zip(*(batch.numbers(name).tolist() for name in names), strict=True)
                for series, values in zip(batch.series.tolist(), columns, strict=True):
                    yield Row(series, batch.time_ms, dict(zip(names, values, strict=True)))
