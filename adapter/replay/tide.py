"""The load's own tide: what the hours of a day need, where it is low, and what is free then."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from adapter.replay.load import Doubles
from adapter.replay.outcome import Demand
from cme.core.durations import HOUR_MS

HOURS = 24
SHALLOW = 1 / 3
"""Off-peak are hours that need less than the trough and this share of the way to the peak."""
LEAST_DAYS = 3


@dataclass(frozen=True)
class Tide:
    """Replicas that the hours of a local day need, [hour]: the day's largest in the middle (`typical`), what `confidence` of
    the days stay within (`most`), and what so many exceed all the time (`least`). NaN without `LEAST_DAYS` days."""

    zone: str
    confidence: float
    days: int
    typical: Doubles
    most: Doubles
    least: Doubles

    @property
    def peak(self) -> float:
        return float(np.nanmax(self.most))

    def free(self) -> Doubles:
        """[hour]: of the replicas that the peak needs, those that are free at the confidence."""
        return np.asarray(self.peak - self.most)

    @property
    def off_peak(self) -> tuple[int, int] | None:
        """First hour and length of the longest run of low hours, over midnight too; None without a tide to speak of."""
        trough = float(np.nanmin(self.most))
        low = self.most <= trough + SHALLOW * (self.peak - trough)
        if not low.any() or low.all() or self.peak <= 1.5 * trough:
            return None
        runs = [(_run(low, first), first) for first in range(HOURS) if low[first] and not low[first - 1]]
        length, first = max(runs)
        return first, length


def tide(demand: Demand, zone: str, confidence: float) -> Tide | None:
    """Of whole known hours; None for fewer than LEAST_DAYS days."""
    hours, largest, smallest = _hourly(demand, zone)
    days = [np.flatnonzero(hours == hour) for hour in range(HOURS)]
    if min(len(one) for one in days) < LEAST_DAYS:
        return None

    # By whole days, not between two: so a confidence is kept.
    return Tide(
        zone,
        confidence,
        min(len(one) for one in days),
        np.array([np.quantile(largest[one], 0.5, method="higher") for one in days]),
        np.array([np.quantile(largest[one], confidence, method="higher") for one in days]),
        np.array([np.quantile(smallest[one], 1 - confidence, method="lower") for one in days]),
    )


def _hourly(demand: Demand, zone: str) -> tuple[NDArray[np.intp], Doubles, Doubles]:
    """Local hour, largest and smallest need of every whole known hour. [n]"""
    first, last = (int(edge) // HOUR_MS for edge in demand.edges_ms[[0, -1]])
    found = []
    for number in range(first, last + 1):
        inside = _within(demand, number)
        if len(inside) and np.isfinite(inside).all():
            local = datetime.fromtimestamp(number * HOUR_MS // 1000, UTC).astimezone(ZoneInfo(zone))
            found.append((local.hour, float(inside.max()), float(inside.min())))
    hours, largest, smallest = zip(*found, strict=True) if found else ((), (), ())
    return np.array(hours, dtype=np.intp), np.array(largest), np.array(smallest)


def _within(demand: Demand, number: int) -> Doubles:
    """The steps that touch an hour; none of one that is not whole."""
    first = int(np.searchsorted(demand.edges_ms, number * HOUR_MS, side="right")) - 1
    last = int(np.searchsorted(demand.edges_ms, (number + 1) * HOUR_MS, side="left"))
    whole = first >= 0 and last < len(demand.edges_ms)
    return demand.needed[first:last] if whole else demand.needed[:0]


def _run(low: NDArray[np.bool_], first: int) -> int:
    length = 0
    while length < HOURS and low[(first + length) % HOURS]:
        length += 1
    return length
