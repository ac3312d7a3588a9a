"""What a contender would have cost and missed: exact integrals over the moments at which load or capacity change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from adapter.replay.load import Doubles, Times
from cme.core.durations import HOUR_MS, MINUTE_MS, SECOND_MS

Changes = Sequence[tuple[int, int]]
"""(milliseconds, number from then on), in order of time."""

FLAP_MS = 10 * MINUTE_MS
"""A change of size that is undone in part within so long is a flap."""


@dataclass(frozen=True)
class Demand:
    """Replicas that carry what came, not rounded, NaN where unknown: [step] from each edge to the next."""

    edges_ms: Times
    needed: Doubles

    def within(self, since_ms: int, until_ms: int) -> "Demand":
        """The part between two moments."""
        first = int(np.searchsorted(self.edges_ms, since_ms, side="right")) - 1
        last = int(np.searchsorted(self.edges_ms, until_ms, side="left"))
        edges = np.clip(self.edges_ms[first : last + 1], since_ms, until_ms)
        return Demand(edges, self.needed[first:last])

    def pieces(self, times_ms: Iterable[int]) -> tuple[Times, Doubles, Doubles]:
        """[piece]: starts, milliseconds, and what is needed, of the steps cut at some times more."""
        start, end = self.edges_ms[[0, -1]]
        cuts = [time for time in times_ms if start < time < end]
        moments = np.union1d(self.edges_ms, np.array(cuts, dtype=np.int64))
        starts = moments[:-1]
        needed = self.needed[np.searchsorted(self.edges_ms, starts, side="right") - 1]
        return starts, np.diff(moments).astype(float), needed


@dataclass(frozen=True)
class Outcome:
    """Shares are of the demand, in replica-hours; times without a known demand cost, but miss nothing."""

    hours: float
    peak: int
    """Replicas that the largest demand needs."""
    replica_hours: float
    demand_hours: float
    short: float
    """Share of the demand that found no capacity when it came."""
    over: float
    """Capacity that carried load and was not needed, as a share of the demand."""
    minutes_short: float
    """In which any capacity was missing."""
    worst_minute: float
    """The largest share of a minute's demand that found none."""
    longest_delay_s: float
    """If load waits for its turn: the longest that any had to."""
    mean_delay_s: float
    changes: int
    flaps: int

    @property
    def saved_replicas(self) -> float:
        """On average, beside the peak's replicas all the time."""
        return self.peak - self.replica_hours / self.hours


def outcome(demand: Demand, ready: Changes, paid: Changes) -> Outcome:
    """Over the whole of the demand's time."""
    starts, spans, needed = demand.pieces(time for time, _ in (*ready, *paid))
    capacity, cost = (numbers_at(changes, starts) for changes in (ready, paid))
    known = np.isfinite(needed)
    needed = np.where(known, needed, 0)
    gap = np.where(known, needed - capacity, 0)
    total = max(float((needed * spans).sum()), 1e-9)
    missing = np.maximum(gap, 0) * spans
    waiting = waited_s(np.where(known, needed, 0), capacity, spans)
    return Outcome(
        hours=float(spans.sum()) / HOUR_MS,
        peak=max(1, int(np.ceil(needed.max(initial=0) - 1e-9))),
        replica_hours=float((cost * spans).sum()) / HOUR_MS,
        demand_hours=total / HOUR_MS,
        short=float(missing.sum()) / total,
        over=float((np.maximum(-gap, 0) * spans).sum()) / total,
        minutes_short=float(spans[gap > 1e-9].sum()) / MINUTE_MS,
        worst_minute=_worst(starts, missing, needed * spans),
        longest_delay_s=float(waiting.max(initial=0.0)),
        mean_delay_s=float((waiting.mean(axis=0) * needed * spans).sum()) / total,
        changes=max(0, len(paid) - 1),
        flaps=_flaps(paid),
    )


def numbers_at(changes: Changes, times_ms: Times) -> Doubles:
    """The number that holds at each of some times, which are not before the first change."""
    at, numbers = np.array(changes, dtype=np.int64).T
    return np.asarray(numbers[np.searchsorted(at, times_ms, side="right") - 1], dtype=float)


def waited_s(needed: Doubles, capacity: Doubles, spans_ms: Doubles) -> Doubles:
    """[2, span]: how long what comes at its start and at its end has to wait, if all waits in one queue: Lindley's
    recursion (1952), and what is queued over the capacity. Without any capacity the wait is that with one replica."""
    grown = np.concatenate([[0.0], np.cumsum((needed - capacity) * spans_ms)])
    queued = grown - np.minimum.accumulate(grown)
    return np.stack([queued[:-1], queued[1:]]) / np.maximum(capacity, 1) / SECOND_MS


def _worst(starts_ms: Times, missing: Doubles, needed: Doubles) -> float:
    minutes = (starts_ms - starts_ms[0]) // MINUTE_MS
    lost, asked = np.bincount(minutes, missing), np.bincount(minutes, needed)
    return float(np.divide(lost, asked, out=np.zeros_like(lost), where=asked > 0).max(initial=0.0))


def _flaps(paid: Changes) -> int:
    times = np.array([time for time, _ in paid], dtype=np.int64)
    ups = np.diff([number for _, number in paid]) > 0
    turned = ups[1:] != ups[:-1]
    return int((turned & (np.diff(times[1:]) <= FLAP_MS)).sum())
