"""Times as a scenario writes them: what a clock on the wall shows in its zone, also where it is set forward or back."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from adapter.replay.scenario.lines import refused

TIME = r"(?:\d{4}-\d\d-\d\d |day \d{1,4} )?\d\d?:\d\d(?::\d\d)?(?:[+-]\d\d:\d\d)?"
"""How one is written."""
_PARTS = re.compile(r"(?:(\d{4}-\d\d-\d\d) |day (\d{1,4}) )?(\d\d?):(\d\d)(?::(\d\d))?([+-]\d\d:\d\d)?")
_YEARS = range(1990, 2100)
_MOST_DAYS = 1_000


@dataclass(frozen=True, slots=True)
class When:
    """Seconds of the day that the clock shows, of a date, of a day of the run (1: its first), or of the first day on which
    it can be meant; `offset` says which of two that look the same."""

    text: str
    seconds: int
    dated: date | None = None
    day: int | None = None
    offset: str = ""

    def after(self, start: datetime, zone: ZoneInfo) -> datetime:
        """The moment that is meant in a run that starts then. Raises InvalidInput."""
        later = (self.day or 1) - 1
        if self.day is None and self.seconds < _seconds_of_day(start):
            later = 1
        return self.on(self.dated or start.date() + timedelta(days=later), zone)

    def on(self, day: date, zone: ZoneInfo) -> datetime:
        """The moment at which a zone's clocks show it on a date. Raises InvalidInput."""
        if day.year not in _YEARS:
            raise refused(f"{self.text}: the year {day.year} is out of range", "write one from 1990 to 2099")
        shown = datetime.combine(day, time()) + timedelta(seconds=self.seconds)
        found = [shown.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        true = [one for one in found if _really(one, zone) == shown]
        if not true:
            raise refused(
                f"{self.text}: the clocks of {zone} are set forward over {shown:%H:%M} on {shown:%Y-%m-%d}",
                "write a time that they show",
            )
        fitting = [one for one in true if not self.offset or one.isoformat().endswith(self.offset)]
        if not fitting:
            raise refused(
                f"{self.text}: the clocks of {zone} are not {self.offset} then",
                f"write {true[0].isoformat()[-6:]} or leave it out",
            )
        return fitting[0]


def _seconds_of_day(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _really(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks show at it: not what was asked for where they are set forward."""
    return datetime.fromtimestamp(moment.timestamp(), zone).replace(tzinfo=None, fold=0)


def parse_when(text: str) -> When:
    """Raises InvalidInput."""
    match = _PARTS.fullmatch(text)
    if match is None:
        raise refused(f"{text!r} is not a time", "write it like 08:30, day 2 08:30 or 2026-03-02 08:30")
    written, day, hour, minute, second, offset = match.groups()
    number = None if day is None else int(day)
    if number is not None and not 1 <= number <= _MOST_DAYS:
        raise refused(f"day {day} is out of range", f"the run's first is day 1, and the last {_MOST_DAYS}")
    seconds = seconds_of(f"{hour}:{minute}") + int(second or 0)
    if int(second or 0) > 59 or seconds > 86_400:
        raise refused(f"{text!r} is not a time of day", "write one from 00:00 to 24:00")
    return When(text, seconds, _date(written), number, offset or "")


def seconds_of(text: str) -> int:
    """Of a day, of HH:MM, 24:00 included. Raises InvalidInput."""
    match = re.fullmatch(r"(\d\d?):(\d\d)", text)
    if match is None or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > 24 * 60:
        raise refused(f"{text!r} is not a time of day", "write one from 00:00 to 24:00")
    return int(match[1]) * 3600 + int(match[2]) * 60


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise refused(f"there is no date {text}", "write one like 2026-03-02") from None


def ms_of(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
