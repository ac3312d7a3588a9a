"""A cron calendar in a time zone, daylight saving included; windows that start by it.

Cron's own rules (Debian's cron, which cronsim follows) hold on the two odd days of a year: a fixed time that
is skipped (02:30 when clocks go from 02:00 to 03:00) happens right after the gap, and one that occurs twice
happens once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_SEARCH = timedelta(seconds=60)


def cron_problem(expression: str) -> str | None:
    """Why the text is no cron expression that ever fires, or None if it is one."""
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return f"{expression!r} is not a cron expression ({error}); write 5 fields like '0 22 * * 1-5'"
    except StopIteration:
        return f"{expression!r} never happens; check its day and month"
    return None


@dataclass(frozen=True, slots=True)
class CronWindow:
    """Windows of `duration_ms` real milliseconds that start by a cron expression in a zone."""

    expression: str
    duration_ms: int
    zone: str

    def active(self, now_ms: int) -> bool:
        """Whether a window holds at `now_ms`: its start is inclusive, its end exclusive."""
        start = self.last_start(now_ms)
        return start is not None and now_ms < start + self.duration_ms

    def last_start(self, now_ms: int) -> int | None:
        """The newest start at or before `now_ms`, or None if there was none within the calendar."""
        return _last_start(self.expression, self.zone, now_ms // 60_000)


@lru_cache(maxsize=4096)
def _last_start(expression: str, zone: str, minute: int) -> int | None:
    # cronsim yields times strictly before its start, so we begin a minute later.
    begin = datetime.fromtimestamp(minute * 60, ZoneInfo(zone))
    later = (begin.astimezone(UTC) + _SEARCH).astimezone(ZoneInfo(zone))
    for moment in CronSim(expression, later, reverse=True):
        start = round(moment.timestamp() * 1000)
        if start <= minute * 60_000:
            return start
    return None
