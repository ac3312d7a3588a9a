"""Schedules beside the walk over their minutes: one set of them, in the program's words and in the walk's."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cme.core.durations import MINUTE_MS
from cme.core.policy import Spec
from cme.core.schedules import Told, replica_bounds
from tests.unit.cme.core.minutes import Walk, bounds

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
FIRST_YEAR, YEARS = 2026, 10
WARM_UP = 3 * 24 * 60
"""Minutes after which no schedule here depends on what was before the walk."""
LEAD = 7
OTHER_ZONE = "America/New_York"

SCHEDULES: list[dict[str, Any]] = [
    {"start": "30 2 * * *", "duration": 90, "min": 40},
    {"start": "0 22 * * 1-5", "end": "30 2 * * *", "min": 25, "max": 60, "ramp": 45},
    {"start": "0 9 * * 1-5", "end": "0 17 * * *", "min": 30, "skip": True, "ramp": 33},
    {"start": "15 1 * * 6,0", "end": "45 2 * * 0,1", "max": 35},
    {"start": "*/20 1-3 * * *", "duration": 10, "min": 50, "max": 55, "skip": True},
    {"start": "0 0 1 * *", "duration": 2880, "min": 20, "zone": OTHER_ZONE},
]
"""Floors above ceilings of others, a gap's times as starts and ends, days off, ramps, another zone."""


def holidays() -> list[date]:
    """Fixed ones, and days on which clocks change."""
    fixed = [(1, 1), (3, 29), (10, 25), (10, 26), (12, 25), (12, 26)]
    return [date(year, *day) for year in range(FIRST_YEAR, FIRST_YEAR + YEARS) for day in fixed]


def spec(zone: str) -> Spec:
    def written(number: int, one: dict[str, Any]) -> dict[str, Any]:
        words = {
            "start": "start",
            "end": "end",
            "min": "minReplicas",
            "max": "maxReplicas",
            "zone": "timeZone",
        }
        lasting = {name: f"{one[name]}m" for name in ("duration", "ramp") if name in one}
        rest = {word: one[name] for name, word in words.items() if name in one}
        return {"name": f"s{number}", "skipHolidays": one.get("skip", False)} | lasting | rest

    document = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "timeZone": zone,
        "holidays": holidays(),
        "signals": [{"name": "qps", "source": {"x": {}}, "perReplica": 1}],
        "forecast": {"lead": f"{LEAD}m"},
        "schedules": [written(*pair) for pair in enumerate(SCHEDULES)],
    }
    return Spec.model_validate(document)


def compare(zone: str, first: int, count: int) -> int:
    """Hold `count` minutes against the walk, which begins earlier and ends later. Returns how many floors there were."""
    begin, span = first - WARM_UP, WARM_UP + count + 120
    walks = {name: Walk(name, begin, span) for name in {zone, OTHER_ZONE}}
    expected = bounds(
        [(walks[one.get("zone", zone)], one) for one in SCHEDULES],
        {day.toordinal() for day in holidays()},
        LEAD,
    )
    whole, found = spec(zone), set()
    for minute in range(first, first + count):
        floor, ceiling, *_ = replica_bounds(whole, minute * MINUTE_MS, Told())
        moment = datetime.fromtimestamp(minute * 60, ZoneInfo(zone))
        assert (floor, ceiling) == expected[minute - begin], moment.isoformat()
        found.add(floor)
    return len(found)


def changes(zone: str) -> list[int]:
    """The hours in which a zone's clocks change, as minutes since 1970; for a zone without the same days of others."""
    local, found = ZoneInfo(zone), []
    hour, last = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(FIRST_YEAR + YEARS, 1, 1, tzinfo=UTC)
    while hour < last:
        later = hour + timedelta(hours=1)
        if hour.astimezone(local).utcoffset() != later.astimezone(local).utcoffset():
            found.append(int(hour.timestamp()) // 60)
        hour = later
    return found or [int(datetime(year, 3, 1, tzinfo=UTC).timestamp()) // 60 for year in (2026, 2032)]
