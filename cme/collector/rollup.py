"""From samples to minutes and from minutes to hours. A minute closes 10 s after its end; a sample that comes
later corrects it once, within the minute after; what comes still later is counted and left out. A sample that is
told again counts once. After the clock was set back by more than an hour its times count anew."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from cme.core.batch import Batch, series_ids
from cme.core.clock import SET_BACK_MS
from cme.core.durations import HOUR_MS, MINUTE_MS, SECOND_MS

CLOSE_AFTER_MS = 10 * SECOND_MS
CORRECTED_AFTER_MS = MINUTE_MS


@dataclass(slots=True)
class Bucket:
    """Sum, maximum, last, count and all flags of the samples of one series in one period."""

    total: float = 0.0
    largest: float = 0.0
    last: float = 0.0
    last_ms: int = -1
    count: int = 0
    flags: int = 0

    def add(self, time_ms: int, value: float, flags: int = 0) -> None:
        if time_ms == self.last_ms:  # told again: the newest value stands
            self.total, self.count = self.total - self.last, self.count - 1
        self.total += value
        self.largest = max(self.largest, value)
        self.count += 1
        self.flags |= flags
        if time_ms >= self.last_ms:
            self.last, self.last_ms = value, time_ms


@dataclass(slots=True)
class _Period:
    buckets: dict[int, Bucket] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    closings: int = 0  # 0 open, 1 written, 2 corrected: final


def end_of(time_ms: int, period_ms: int) -> int:
    """The end of the period (start, end] that holds a moment."""
    return -(-time_ms // period_ms) * period_ms


class Rollup:
    """Open periods of one length."""

    def __init__(self, topic: str, period_ms: int) -> None:
        self._topic, self._period_ms = topic, period_ms
        self._periods: dict[int, _Period] = {}
        self._final_until = -1
        self.late = 0

    def begin(self, since_ms: int) -> None:
        """Leave the periods alone that began before `since_ms`."""
        self._final_until = end_of(since_ms, self._period_ms)

    def add(self, series: int, time_ms: int, value: float, flags: int = 0) -> None:
        """Take in a sample; one for a period that is final is counted as late."""
        end = end_of(time_ms, self._period_ms)
        if end <= self._final_until:
            self.late += 1
            return
        period = self._periods.setdefault(end, _Period())
        period.buckets.setdefault(series, Bucket()).add(time_ms, value, flags)
        period.changed.add(series)

    def close(self, now_ms: int) -> list[Batch]:
        """The batches of all periods that are due at `now_ms`, oldest first: new ones, then corrections."""
        batches = []
        self._begin_anew_if_set_back(now_ms)
        for end in sorted(self._periods):
            period = self._periods[end]
            if period.closings == 0 and now_ms >= end + CLOSE_AFTER_MS:
                batches.append(self._batch(end, period))
            if period.closings == 1 and now_ms >= end + CLOSE_AFTER_MS + CORRECTED_AFTER_MS:
                if period.changed:
                    batches.append(self._batch(end, period))
                del self._periods[end]
        # By the clock, so that what is late does not depend on which other series there are.
        final = (now_ms - CLOSE_AFTER_MS - CORRECTED_AFTER_MS) // self._period_ms * self._period_ms
        self._final_until = max(self._final_until, final)
        return batches

    def _begin_anew_if_set_back(self, now_ms: int) -> None:
        """What a clock wrote that was far ahead must not keep out the time until then."""
        if now_ms < self._final_until - SET_BACK_MS:
            self._final_until = now_ms // self._period_ms * self._period_ms
            self._periods.clear()

    def _batch(self, end: int, period: _Period) -> Batch:
        rows = sorted(period.changed)
        buckets = [period.buckets[series] for series in rows]
        period.changed.clear()
        period.closings += 1
        return rollup_batch(self._topic, end, rows, buckets)


def rollup_batch(topic: str, end_ms: int, series: Iterable[int], buckets: Iterable[Bucket]) -> Batch:
    """A record of `minutes` or `hours`."""
    rows = list(buckets)
    return Batch(
        topic,
        end_ms,
        series_ids(list(series)),
        {
            "mean": np.array([b.total / b.count for b in rows], dtype=np.float32),
            "max": np.array([b.largest for b in rows], dtype=np.float32),
            "last": np.array([b.last for b in rows], dtype=np.float32),
            "count": np.array([b.count for b in rows], dtype=np.uint32),
            "flags": np.array([b.flags for b in rows], dtype=np.uint8),
        },
    )


class Rollups:
    """Minutes of the samples and hours of the same samples."""

    def __init__(self) -> None:
        self._all = (Rollup("minutes", MINUTE_MS), Rollup("hours", HOUR_MS))
        self._told: dict[int, tuple[int, float, int]] = {}  # by series its newest sample

    @property
    def late(self) -> int:
        return self._all[0].late

    def add(self, series: int, time_ms: int, value: float, flags: int = 0) -> None:
        """Take in a sample, unless it is the one before: a source may tell an hour's value at every tick."""
        if self._told.get(series) == (time_ms, value, flags):
            return
        self._told[series] = time_ms, value, flags
        for rollup in self._all:
            rollup.add(series, time_ms, value, flags)

    def close(self, now_ms: int) -> list[Batch]:
        return [batch for rollup in self._all for batch in rollup.close(now_ms)]

    def restore(self, samples: Iterable[Batch], since_ms: int) -> None:
        """Go on where a run ended that wrote these samples: all there are from `since_ms` on.

        What it closed is closed again, and dropped: a tick appends its samples and what they closed at once, so
        the log has both or neither. A period that began before `since_ms` would be a part only, hence it stays
        as it was written.
        """
        for rollup in self._all:
            rollup.begin(since_ms)
        for time_ms, batches in itertools.groupby(samples, lambda batch: batch.time_ms):
            for batch in batches:
                self._take(batch)
            self.close(time_ms)
        for rollup in self._all:
            rollup.late = 0

    def _take(self, batch: Batch) -> None:
        columns = (batch.numbers(name).tolist() for name in ("value", "measured_ms", "flags"))
        for series, value, time_ms, flags in zip(batch.series.tolist(), *columns, strict=True):
            if value == value:  # not NaN
                self.add(series, time_ms, value, flags)
