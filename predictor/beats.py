"""From minutes to the engine's beats of five minutes, and to the newest observation between two of them."""

from dataclasses import dataclass, field

import numpy as np

from cme.core.batch import Batch
from predictor.arrays import Floats
from predictor.engine import beat_of
from predictor.grid import BEAT_MS


@dataclass(frozen=True, slots=True)
class ClosedBeat:
    """Per series id the mean of its last minute and its largest minute maximum."""

    beat: int
    last: dict[int, float]
    largest: dict[int, float]


@dataclass(slots=True)
class Beats:
    """The open beat. A beat closes with the minute that ends it, or with the first later one.

    A minute that comes once more (a correction) counts while its beat is open; minutes of closed beats are
    counted as late and change nothing, so that the same minutes always make the same beats.
    """

    beat: int = -1
    late: int = 0
    _minutes: dict[int, Batch] = field(default_factory=dict)  # end of the minute -> its record
    _last: dict[int, float] = field(default_factory=dict)
    _largest: dict[int, float] = field(default_factory=dict)

    def add(self, minute: Batch) -> list[ClosedBeat]:
        """Take in a record of `minutes`; returns the beats that it closed."""
        beat = beat_of(minute.time_ms)
        if beat < self.beat or (beat == self.beat and self._closed()):
            self.late += 1
            return []
        closed = []
        if beat > self.beat:
            if self._minutes:
                closed.append(self._close())
            self.beat = beat
        self._merge(minute)
        newest = self._minutes[max(self._minutes)]
        self._last = _by_series(newest, "mean")
        self._largest = self._maxima()
        if minute.time_ms == (beat + 1) * BEAT_MS:
            closed.append(self._close())
        return closed

    def newest(self) -> tuple[dict[int, float], dict[int, float]]:
        """The newest minute's means, and the maxima of its beat so far."""
        return self._last, self._largest

    def _closed(self) -> bool:
        return not self._minutes

    def _merge(self, minute: Batch) -> None:
        """A correction holds only the series that changed: the others' rows stay."""
        known = self._minutes.get(minute.time_ms)
        if known is not None:
            keep = ~np.isin(known.series, minute.series)
            columns = {
                name: np.concatenate([known.numbers(name)[keep], minute.numbers(name)])
                for name in known.columns
            }
            series = np.concatenate([known.series[keep], minute.series])
            minute = Batch(minute.topic, minute.time_ms, series, columns)
        self._minutes[minute.time_ms] = minute

    def _close(self) -> ClosedBeat:
        last: dict[int, float] = {}
        for end in sorted(self._minutes):
            last.update(_by_series(self._minutes[end], "mean"))
        closed = ClosedBeat(self.beat, last, self._maxima())
        self._minutes = {}
        return closed

    def _maxima(self) -> dict[int, float]:
        largest: dict[int, float] = {}
        for minute in self._minutes.values():
            for series, value in _by_series(minute, "max").items():
                largest[series] = max(value, largest.get(series, value))
        return largest


def _by_series(minute: Batch, column: str) -> dict[int, float]:
    return dict(zip(minute.series.tolist(), minute.numbers(column).tolist(), strict=True))


def as_row(values: dict[int, float], rows: dict[int, int], series: int) -> Floats:
    """Values by series id as the engine's row, NaN where there is none."""
    row = np.full(series, np.nan, dtype=np.float32)
    for one, value in values.items():
        if one in rows:
            row[rows[one]] = value
    return row
