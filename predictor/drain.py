"""How much one replica gets through of a backlog, in items/s: learnt from the minutes in which all had work.

Of such a minute the work done is what arrived less what the backlog grew by (a queue keeps what it does not pass on), and
the capacity the seconds that replicas were ready. Both are summed over ten busy minutes before they are divided, for
consumers commit in lumps: a job of minutes shows in one of them alone. The estimate is the mean of the middle half of
the last busy day's quotients: of those lumps a median could be 0, and a mean of all would follow an outage, a rebalance
or offsets that are set by hand.
"""

import json

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.clock import SET_BACK_MS
from cme.core.durations import MINUTE_MS
from cme.core.readings import REPLICAS_STALE_MS
from predictor.decide.rules import Doubles, Rules

SUMMED = 10
"""Busy minutes that make one quotient."""

KEPT = 24 * 60 // SUMMED
"""Quotients: of a day of busy minutes."""

LEAST = 4
"""Quotients that make an estimate: without the smallest and the largest."""

RECALLED = 12
"""Quotients that an estimate from the log stands for: two busy hours, after which new ones outvote it."""

_MINUTE_S = MINUTE_MS / 1000


class Drains:
    """The estimates of all backlogs of some rules."""

    def __init__(self, rules: Rules) -> None:
        self._at = np.flatnonzero(rules.backlog)
        self._series = rules.signal_ids[self._at]
        self._row_of = {series: row for row, series in enumerate(self._series.tolist())}
        self._arrivals = rules.signal_ids[rules.arrivals_of[self._at]]
        self._rows_of: dict[int, list[int]] = {}
        for row, workload in enumerate(rules.replica_ids[rules.workload_of[self._at]].tolist()):
            self._rows_of.setdefault(workload, []).append(row)
        count = len(self._at)
        self._ready, self._ready_ms = np.full(count, np.nan), np.zeros(count, dtype=np.int64)
        self._seen_ms = np.zeros(count, dtype=np.int64)  # end of the newest minute that was known
        self._backlog, self._ready_then = np.full(count, np.nan), np.full(count, np.nan)  # at that end
        self._work, self._capacity = np.zeros(count), np.zeros(count)  # of the open quotient
        self._minutes = np.zeros(count, dtype=np.int64)
        self._quotients = np.full((KEPT, count), np.nan)
        self._counts = np.zeros(count, dtype=np.int64)
        self._learnt = np.full(count, np.nan)

    def learnt(self, rules: Rules) -> Doubles:
        """Items/s per replica by signal row; NaN for what is no backlog or not learnt yet."""
        found = np.full(len(rules.signal_ids), np.nan)
        found[self._at] = self._learnt
        return found

    def take_replicas(self, batch: Batch) -> None:
        """A record of `replicas`."""
        if rows := self._rows_of.get(int(batch.series[0])):
            self._ready[rows] = len(json.loads(batch.texts("pods")[0])["pods"])
            self._ready_ms[rows] = batch.time_ms

    def take_minute(self, batch: Batch) -> None:
        """A record of `minutes`; one that corrects an earlier record changes nothing."""
        if not len(self._at):
            return
        end_ms = batch.time_ms
        backlog, arrivals = _found(batch, self._series, "last"), _found(batch, self._arrivals, "mean")
        told = np.abs(end_ms - self._ready_ms) <= REPLICAS_STALE_MS
        newer = (end_ms > self._seen_ms) | (end_ms < self._seen_ms - SET_BACK_MS)
        known = np.isfinite(backlog + arrivals) & told & newer
        work = arrivals * _MINUTE_S - (backlog - self._backlog)
        capacity = (self._ready + self._ready_then) / 2 * _MINUTE_S
        # A minute's work was left at both ends: then nobody was idle, though consumers commit some time later.
        left = np.minimum(backlog, self._backlog)
        busy = known & (self._seen_ms == end_ms - MINUTE_MS) & (capacity > 0) & (left > 0) & (left >= work)
        self._add(busy, work, capacity)
        self._backlog[known], self._ready_then[known] = backlog[known], self._ready[known]
        self._seen_ms[known] = end_ms

    def recall(self, series: NDArray[np.uint64], learnt: Doubles) -> None:
        """Take in an estimate of the past: how a restart gets its memory."""
        known = np.isfinite(learnt)
        for one, value in zip(series[known].tolist(), learnt[known].tolist(), strict=True):
            if (row := self._row_of.get(one)) is not None:
                self._quotients[:RECALLED, row] = self._learnt[row] = value
                self._counts[row] = RECALLED

    def _add(self, busy: NDArray[np.bool_], work: Doubles, capacity: Doubles) -> None:
        self._work[busy] += work[busy]
        self._capacity[busy] += capacity[busy]
        self._minutes[busy] += 1
        full = np.flatnonzero(self._minutes >= SUMMED)
        if len(full):
            quotients = np.maximum(self._work[full], 0) / self._capacity[full]
            self._quotients[self._counts[full] % KEPT, full] = quotients
            self._counts[full] += 1
            self._work[full] = self._capacity[full] = self._minutes[full] = 0
            enough = full[self._counts[full] >= LEAST]
            self._learnt[enough] = _middle(self._quotients[:, enough])


def _middle(quotients: Doubles) -> Doubles:
    """The mean of the middle half of each column's values; NaN are none."""
    ordered = np.sort(quotients, axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    place, cut = np.arange(len(ordered))[:, None], count // 4
    middle = (place >= cut) & (place < count - cut)
    return np.asarray(np.where(middle, ordered, 0).sum(axis=0) / (count - 2 * cut))


def _found(batch: Batch, series: NDArray[np.uint64], column: str) -> Doubles:
    """A column's values of some series, NaN of those that the batch lacks."""
    order = np.argsort(batch.series)
    at = order[np.minimum(np.searchsorted(batch.series, series, sorter=order), len(order) - 1)]
    return np.where(batch.series[at] == series, batch.numbers(column)[at].astype(float), np.nan)
