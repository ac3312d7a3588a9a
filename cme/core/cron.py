"""A cron calendar in a time zone, daylight saving included; windows that start by it.

On the two odd days of a year Debian cron's rules hold, which cronsim follows. An expression whose minutes and hours
are given (neither begins with `*`) means times of day: each happens when the local clock first reaches or passes it,
so one that is skipped happens right after the gap, and one that comes twice happens once. Any other expression goes
by what the clock shows: it does not happen while its times are skipped, and happens again while they come again.
"""

from bisect import bisect_right
from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from cme.core.durations import HOUR_MS, SECOND_MS


def cron_problem(expression: str) -> str | None:
    """Why the text is no cron expression that ever fires, or None if it is one."""
    if (fields := len(expression.split())) != 5:
        return f"{expression!r} has {fields} fields; write 5 like '0 22 * * 1-5'"
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return f"{expression!r} is not a cron expression ({error}); write 5 fields like '0 22 * * 1-5'"
    except StopIteration:
        return f"{expression!r} never happens; check its day and month"
    return None


@dataclass(frozen=True, slots=True)
class CronWindow:
    """Windows in a zone that start by a cron expression, but not on the local dates `off`.

    They last `duration_ms` real milliseconds, or until the first time of the expression `end` after their start.
    """

    start: str
    end: str | None
    duration_ms: int | None
    zone: str
    off: Set[date] = frozenset()

    def active(self, now_ms: int, ahead_ms: int = 0) -> bool:
        """Whether a window holds at `now_ms` (its start is inclusive, its end exclusive) or starts within `ahead_ms`."""
        start = self.last_start(now_ms + ahead_ms)
        if start is None:
            return False
        if self.end is None:
            return now_ms < start + (self.duration_ms or 0)
        ended = last_time(self.end, self.zone, now_ms)
        return ended is None or ended <= start

    def last_start(self, at_ms: int) -> int | None:
        """The newest start at or before `at_ms`, or None if there was none within the calendar."""
        start = last_time(self.start, self.zone, at_ms)
        while start is not None and self.off and (day := _local(start, self.zone).date()) in self.off:
            midnight = datetime.combine(day, time(), ZoneInfo(self.zone))
            start = last_time(self.start, self.zone, _ms(midnight) - 1)
        return start


def last_time(expression: str, zone: str, at_ms: int) -> int | None:
    """The newest time of a cron expression at or before `at_ms`."""
    times = _times(expression, zone, at_ms // HOUR_MS)
    position = bisect_right(times, at_ms)
    return times[position - 1] if position else None


@lru_cache(maxsize=16_384)
def _times(expression: str, zone: str, hour: int) -> tuple[int, ...]:
    """All times within an hour (UTC, counted since 1970) and the newest before it, oldest first."""
    first, end = hour * HOUR_MS, (hour + 1) * HOUR_MS
    found: list[int] = []
    for moment in CronSim(expression, _past_repeats(end, zone), reverse=True):
        if (at := _ms(moment)) < end:
            found.append(at)
        if at < first:
            break
    if found and _changes_by_less_than_an_hour(zone, end):
        found += _passed_over(expression, zone, found[-1], end)
    return tuple(sorted(set(found)))


def _changes_by_less_than_an_hour(zone: str, at_ms: int) -> bool:
    """As clocks on Lord Howe Island do."""
    year = _local(at_ms, zone).year
    seasons = [datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta() for month in (1, 7)]
    return (seasons[0] - seasons[1]) % timedelta(hours=1) != timedelta()


def _passed_over(expression: str, zone: str, since_ms: int, end_ms: int) -> list[int]:
    """Times between, found forwards: on its way back cronsim takes an hour of which half was skipped for a whole one, and
    passes over half of the hour before."""
    forwards = (_ms(moment) for moment in CronSim(expression, _local(since_ms, zone)))
    return list(takewhile(lambda at: at < end_ms, forwards))


def _past_repeats(at_ms: int, zone: str) -> datetime:
    """The local time; while the clock shows times for the second time, as much later as it was set back.

    cronsim looks back from what the clock shows, and would miss the times that it has shown the first time only.
    """
    local = _local(at_ms, zone)
    repeated = (local.replace(fold=0).utcoffset() or timedelta()) - (local.utcoffset() or timedelta())
    return (local.astimezone(UTC) + repeated).astimezone(ZoneInfo(zone))


def _local(at_ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_ms // SECOND_MS, ZoneInfo(zone))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * SECOND_MS)
