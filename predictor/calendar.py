"""Local days: how long ago a moment's likes were, by a workload's own clock and its holidays.

A like of a moment is the same wall clock of another day: k days and the change of the zone's offset in between ago.
On the two odd days of a year a wall clock that is skipped is taken as read by the old offset (02:30 as 03:30), and of
one that comes twice the second pass is meant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import DAY_MS, HOUR_MS
from cme.core.policy import ScalingPolicy
from predictor.grid import Grid

Lags = NDArray[np.intp]
DAYS_AGO, WEEKS_AGO = tuple(range(1, 8)), (7, 14)
"""Days ago at which the seasons look."""
MOST_SHIFT_MS = HOUR_MS
"""What a change of the clocks moves a day by, at most; a zone that moves by more (Troll's two hours) is followed by an
hour only."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUNDAY = 3  # 1970-01-04, in days since the epoch


@dataclass(frozen=True)
class Calendar:
    """An IANA time zone and the holidays there, in days since 1970-01-01."""

    zone: str = "UTC"
    holidays: frozenset[int] = frozenset()


PLAIN = Calendar()


def calendars_of(policies: Iterable[ScalingPolicy]) -> dict[int, Calendar]:
    """By id of the policies' series."""
    found: dict[int, Calendar] = {}
    for policy in policies:
        days = frozenset((day - _EPOCH.date()).days for day in policy.spec.holidays)
        calendar = Calendar(policy.spec.time_zone, days)
        found |= {policy.series(signal).id: calendar for signal in policy.spec.signals}
    return found


@lru_cache(maxsize=16_384)
def offset_ms(zone: str, time_ms: int) -> int:
    """How far a zone's clocks are ahead of UTC."""
    local = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(ZoneInfo(zone))
    return round((local.utcoffset() or timedelta()).total_seconds() * 1000)


def likes(holidays: frozenset[int], today: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How many days ago the seasons of days and of weeks look from the day `today`, newest first.

    A holiday looks at the Sundays and holidays of the last two weeks, as often as they are needed. Any other day
    looks past holidays: in the place of one stands the same weekday of the other week, so that every place keeps
    its weekday, and where that is one too, the newest day that is none.
    """
    if today in holidays:
        free = [k for k in range(1, 15) if (today - k) % 7 == _SUNDAY or today - k in holidays]
        return tuple((free * len(DAYS_AGO))[: len(DAYS_AGO)]), tuple(free[: len(WEEKS_AGO)])

    def ordinary(k: int) -> int:
        instead = (k, k + 7 if k <= 7 else k - 7, *range(1, 15))
        return next((i for i in instead if today - i not in holidays), k)

    return tuple(map(ordinary, DAYS_AGO)), tuple(map(ordinary, WEEKS_AGO))


@lru_cache(maxsize=4_096)
def lags_ms(calendar: Calendar, time_ms: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The same as times, for the moment `time_ms`."""
    now = offset_ms(calendar.zone, time_ms)

    def lag(k: int) -> int:
        shift = now - offset_ms(calendar.zone, time_ms - k * DAY_MS)
        return k * DAY_MS - min(MOST_SHIFT_MS, max(-MOST_SHIFT_MS, shift))

    days, weeks = likes(calendar.holidays, (time_ms + now) // DAY_MS)
    return tuple(map(lag, days)), tuple(map(lag, weeks))


class Calendars:
    """The calendars of a block's series, and what they say of its beats."""

    def __init__(self, grid: Grid) -> None:
        self._grid, self._skipped = grid, 0
        self._plain = tuple(np.array(days)[:, None] * grid.day for days in (DAYS_AGO, WEEKS_AGO))
        self._distinct, self._of = [PLAIN], np.zeros(0, dtype=np.intp)

    def assign(self, calendars: Sequence[Calendar], skipped: int) -> None:
        """Each series' calendar; the block's beats are `skipped` behind the true ones."""
        self._distinct = list(dict.fromkeys(calendars)) or [PLAIN]
        self._of = np.array([self._distinct.index(one) for one in calendars], dtype=np.intp)
        self._skipped = skipped

    def lags(self, moment: int, weekly: bool, behind: NDArray[np.int32]) -> Lags:
        """How many beats ago the likes of a moment were, newest first: [season, series], or [season, 1] of whole days.

        Without any that a series is old enough for (`behind`, beats), a holiday is a day like any other.
        """
        plain = self._plain[weekly]
        time_ms = (moment + self._skipped) * self._grid.beat_ms
        table = [self._beats(one, time_ms, weekly) for one in self._distinct]
        if all((lags == plain[:, 0]).all() for lags in table):
            return plain
        own = np.stack(table, axis=-1)[:, self._of]
        return np.where((own <= behind).any(axis=0), own, plain)

    def _beats(self, calendar: Calendar, time_ms: int, weekly: bool) -> Lags:
        if calendar == PLAIN:
            return np.asarray(self._plain[weekly][:, 0])
        lags = np.array(lags_ms(calendar, time_ms)[weekly])
        return np.asarray(np.round(lags / self._grid.beat_ms), dtype=np.intp)


def assigned(calendars: Mapping[int, Calendar], ids: Iterable[int]) -> list[Calendar]:
    """The calendars of some series, plain where none is given."""
    return [calendars.get(series, PLAIN) for series in ids]
