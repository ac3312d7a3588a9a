from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cme.core.cron import CronWindow, cron_problem, last_time
from cme.core.durations import HOUR_MS, MINUTE_MS
from tests.unit.cme.core.minutes import Walk


def ms(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def local(time_ms: int | None, zone: str = "Europe/Berlin") -> str:
    assert time_ms is not None
    return datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone)).isoformat(timespec="minutes")


def times(expression: str, zone: str, day: str) -> list[str]:
    """When an expression happens on a local day."""
    end, found = ms(f"{day}T23:59", zone), []
    while (at := last_time(expression, zone, end)) is not None and local(at, zone).startswith(day):
        found.append(local(at, zone).removeprefix(f"{day}T"))
        end = at - 1
    return found[::-1]


SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # Berlin: 02:00 -> 03:00, and 03:00 -> 02:00


@pytest.mark.parametrize(
    ("expression", "day", "expected"),
    [
        ("30 2 * * *", SPRING, ["03:00+02:00"]),
        ("0 2 * * *", SPRING, ["03:00+02:00"]),
        ("0 3 * * *", SPRING, ["03:00+02:00"]),
        ("30 1 * * *", SPRING, ["01:30+01:00"]),
        ("30 1,2,3 * * *", SPRING, ["01:30+01:00", "03:00+02:00", "03:30+02:00"]),
        ("30 */2 * * 0", SPRING, ["00:30+01:00", *(f"{h:02}:30+02:00" for h in range(4, 24, 2))]),
        ("*/30 2 * * *", SPRING, []),
        ("30 * * * *", SPRING, ["00:30+01:00", "01:30+01:00", *(f"{h:02}:30+02:00" for h in range(3, 24))]),
        ("30 2 * * *", AUTUMN, ["02:30+02:00"]),
        ("30 1 * * *", AUTUMN, ["01:30+02:00"]),
        ("0 2 * * *", AUTUMN, ["02:00+02:00"]),
        ("0 3 * * *", AUTUMN, ["03:00+01:00"]),
        ("30 1,2,3 * * *", AUTUMN, ["01:30+02:00", "02:30+02:00", "03:30+01:00"]),
        (
            "30 * * * *",
            AUTUMN,
            [f"{h:02}:30+02:00" for h in range(3)] + [f"{h:02}:30+01:00" for h in range(2, 24)],
        ),
        ("*/30 2 * * *", AUTUMN, ["02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00"]),
    ],
)
def test_daylight_saving_is_pinned(expression: str, day: str, expected: list[str]) -> None:
    """The table of docs/policies.md."""
    assert times(expression, "Europe/Berlin", day) == expected


def test_a_change_by_half_an_hour() -> None:
    """Lord Howe: 02:00 -> 02:30 on 2026-10-04, 02:00 -> 01:30 on 2026-04-05."""
    howe = "Australia/Lord_Howe"
    assert times("15 2 * * *", howe, "2026-10-04") == ["02:30+11:00"]
    assert times("45 1 * * *", howe, "2026-04-05") == ["01:45+11:00"]


HALF_PAST_TWO = CronWindow("30 2 * * *", None, HOUR_MS, "Europe/Berlin")


def test_a_doubled_fixed_time_lasts_while_the_clock_is_set_back() -> None:
    assert HALF_PAST_TWO.active(ms(f"{AUTUMN}T02:15", fold=1))
    assert not HALF_PAST_TWO.active(ms(f"{AUTUMN}T02:45", fold=1))


def test_a_window_includes_its_start_and_not_its_end() -> None:
    start = ms("2026-06-01T02:30")
    assert not HALF_PAST_TWO.active(start - 1)
    assert HALF_PAST_TWO.active(start)
    assert HALF_PAST_TWO.active(start + 3_599_999)
    assert not HALF_PAST_TWO.active(start + 3_600_000)


def test_a_window_may_end_by_the_clock() -> None:
    shop = CronWindow("0 9 * * 1-5", "0 18 * * *", None, "Europe/Berlin")
    assert not shop.active(ms("2026-06-01T09:00") - 1)
    assert shop.active(ms("2026-06-01T09:00"))
    assert shop.active(ms("2026-06-01T18:00") - 1)
    assert not shop.active(ms("2026-06-01T18:00"))
    assert not shop.active(ms("2026-05-31T12:00"))  # a Sunday


def test_an_end_at_the_start_ends_the_window_before() -> None:
    always = CronWindow("0 9 * * *", "0 9 * * *", None, "UTC")
    assert always.active(ms("2026-06-01T09:00", "UTC"))
    assert always.active(ms("2026-06-02T08:59", "UTC"))


def test_a_window_may_cross_midnight() -> None:
    night = CronWindow("0 22 * * *", None, 10 * HOUR_MS, "Asia/Shanghai")
    assert night.active(ms("2026-06-02T03:00", "Asia/Shanghai"))


def test_a_window_that_starts_soon() -> None:
    start = ms("2026-06-01T02:30")
    assert not HALF_PAST_TWO.active(start - 5 * MINUTE_MS - 1, 5 * MINUTE_MS)
    assert HALF_PAST_TWO.active(start - 5 * MINUTE_MS, 5 * MINUTE_MS)


def test_a_window_does_not_start_on_days_off_but_goes_on() -> None:
    christmas = frozenset({date(2026, 12, 25), date(2026, 12, 26)})
    night = CronWindow("0 22 * * *", None, 10 * HOUR_MS, "Europe/Berlin", christmas)
    assert night.active(ms("2026-12-25T03:00"))
    assert not night.active(ms("2026-12-25T23:00"))
    assert not night.active(ms("2026-12-27T03:00"))
    assert night.active(ms("2026-12-27T22:00"))


CHANGES = {
    "America/New_York": (
        ms("2027-03-14T00:00", "America/New_York"),
        ms("2027-11-07T00:00", "America/New_York"),
    ),
    "Europe/Berlin": (ms("2028-03-26T00:00"), ms("2028-10-29T00:00")),
    "Australia/Lord_Howe": (
        ms("2026-04-05T00:00", "Australia/Lord_Howe"),
        ms("2026-10-04T00:00", "Australia/Lord_Howe"),
    ),
    "Africa/Cairo": (ms("2026-04-24T01:00", "Africa/Cairo"), ms("2026-10-29T00:00", "Africa/Cairo")),
    "Antarctica/Troll": (
        ms("2026-03-29T00:00", "Antarctica/Troll"),
        ms("2026-10-25T00:00", "Antarctica/Troll"),
    ),
}
"""Days on which clocks change; in Cairo at midnight, at Troll by two hours."""

expressions = st.tuples(
    st.sampled_from(["0", "30", "15,45", "*/20", "*", "50-59"]),
    st.sampled_from(["0", "1", "2", "3", "0-3", "*", "*/2", "23", "2,23"]),
    st.sampled_from(["*", "1-7", "24-31", "*/2"]),
    st.sampled_from(["*", "3-4", "10,11"]),
    st.sampled_from(["*", "0", "5-7", "1-5"]),
).map(" ".join)


@given(
    expressions,
    st.sampled_from([(zone, at) for zone, both in CHANGES.items() for at in both]),
)
@example("*/20 1 * * *", ("Australia/Lord_Howe", CHANGES["Australia/Lord_Howe"][1]))
def test_times_on_days_of_change_are_what_the_clock_shows(expression: str, change: tuple[str, int]) -> None:
    zone, at = change
    first, count = at // MINUTE_MS - 12 * 60, 42 * 60
    happens = Walk(zone, first, count).happens(expression)
    for minute in range(60, count):
        told = last_time(expression, zone, (first + minute) * MINUTE_MS)
        assert (told == (first + minute) * MINUTE_MS) == happens[minute], local(
            (first + minute) * MINUTE_MS, zone
        )


def test_half_an_hour_that_was_skipped_hides_no_time_for_years() -> None:
    """The one of a year that lies in the half hour before the change, asked for after the clocks were set back again."""
    at = ms("2026-10-04T01:40", "Australia/Lord_Howe")
    assert last_time("40 1 4 10 *", "Australia/Lord_Howe", at + 250 * 86_400_000) == at


@pytest.mark.parametrize("bad", ["", "* * * *", "61 * * * *", "@hourly x", "0 0 30 2 *", "0 0 12 * * *"])
def test_what_never_fires_is_refused(bad: str) -> None:
    assert cron_problem(bad)
