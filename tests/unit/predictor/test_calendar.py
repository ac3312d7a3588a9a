"""Days by the workload's clock, through changes of the clocks and over holidays."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cme.core.durations import DAY_MS, HOUR_MS
from predictor.arrays import Floats
from predictor.calendar import PLAIN, Calendar, Calendars, calendars_of, lags_ms, likes, offset_ms
from predictor.engine import Engine
from predictor.grid import AT, LEADS_MS, Grid
from predictor.history import Bin
from tests.unit.predictor.stage import policy

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
CHANGES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
}
HOURLY = Grid(HOUR_MS)
SIX_HOURS = LEADS_MS.index(6 * HOUR_MS)
LoadAt = Callable[[datetime], float]


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def local(zone: str, time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone))


def day(of: date) -> int:
    return (of - date(1970, 1, 1)).days


Forecasts = dict[datetime, Floats]
"""Quantiles [quantile] by the local time that they are for."""


def forecasts(
    load: LoadAt, zone: str, first: date, days: int, calendar: Calendar
) -> tuple[Forecasts, Forecasts]:
    """What an engine of hourly beats forecast six hours ahead of two equal series: one that has the calendar, one of
    plain days."""
    engine = Engine(HOURLY)
    engine.rows([1, 2])
    engine.follow({1: calendar})
    begin = ms(datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone))) // HOUR_MS
    found: tuple[Forecasts, Forecasts] = {}, {}
    for beat in range(begin, begin + days * 24):
        value = np.full(2, load(local(zone, beat * HOUR_MS)), dtype=np.float32)
        served = engine.step(beat, Bin(value, value, value)).values[AT, SIX_HOURS]
        for row, of in enumerate(found):
            of[local(zone, (beat + 6) * HOUR_MS)] = served[:, row]
    return found


def pinball(found: Forecasts, load: LoadAt, on: Iterable[date]) -> float:
    """Mean loss of the .95 quantile on some days."""
    errors = np.array([load(moment) - f[2] for moment, f in found.items() if moment.date() in set(on)])
    return float(np.maximum(0.95 * errors, -0.05 * errors).mean())


@given(zone=st.sampled_from(ZONES), hour=st.integers(485_000, 520_000), ago=st.integers(0, 6))
def test_a_day_is_the_same_wall_clock_of_another_day(zone: str, hour: int, ago: int) -> None:
    now_ms = hour * HOUR_MS
    days, weeks = lags_ms(Calendar(zone), now_ms)
    for lag, k in [(days[ago], ago + 1), *zip(weeks, (7, 14), strict=True)]:
        now, then = local(zone, now_ms), local(zone, now_ms - lag)
        wanted = (now - timedelta(days=k)).replace(tzinfo=None)
        exists = datetime.fromtimestamp(wanted.replace(tzinfo=ZoneInfo(zone)).timestamp(), ZoneInfo(zone))
        if exists.replace(tzinfo=None) == wanted:
            assert then.replace(tzinfo=None) == wanted
        else:  # skipped by the clocks
            assert then == exists


@pytest.mark.parametrize(
    ("change", "wall", "expected"),
    [
        (date(2026, 3, 29), 1, "01:00+01:00"),
        (date(2026, 3, 29), 2, "03:00+02:00"),  # there was no 02:00
        (date(2026, 3, 29), 3, "03:00+02:00"),
        (date(2026, 10, 25), 1, "01:00+02:00"),
        (date(2026, 10, 25), 2, "02:00+01:00"),  # there were two
        (date(2026, 10, 25), 3, "03:00+01:00"),
    ],
)
def test_hours_that_are_skipped_or_come_twice_have_one_meaning(
    change: date, wall: int, expected: str
) -> None:
    after = datetime(change.year, change.month, change.day, wall, tzinfo=ZoneInfo("Europe/Berlin"))
    after += timedelta(days=1)
    (yesterday, *_), _ = lags_ms(Calendar("Europe/Berlin"), ms(after))
    then = local("Europe/Berlin", ms(after) - yesterday)
    assert then.isoformat() == f"{change.isoformat()}T{expected[:5]}:00{expected[5:]}"


def test_a_zone_that_moves_by_more_than_an_hour_is_followed_by_an_hour() -> None:
    moved = ms(datetime(2026, 3, 30, 12, tzinfo=UTC))
    assert offset_ms("Antarctica/Troll", moved) == 2 * HOUR_MS
    assert lags_ms(Calendar("Antarctica/Troll"), moved)[1] == (7 * DAY_MS - HOUR_MS, 14 * DAY_MS - HOUR_MS)


@given(today=st.integers(15_000, 25_000), holidays=st.frozensets(st.integers(14_980, 25_010), max_size=40))
def test_no_ordinary_day_looks_at_a_holiday(today: int, holidays: frozenset[int]) -> None:
    days, weeks = likes(holidays - {today}, today)
    assert (len(days), len(weeks)) == (7, 2)
    assert not {today - k for k in (*days, *weeks)} & holidays - {today}
    assert all(1 <= k <= 14 for k in (*days, *weeks))


@given(today=st.integers(15_000, 25_000), others=st.frozensets(st.integers(1, 14)))
def test_a_holiday_looks_at_sundays_and_holidays(today: int, others: frozenset[int]) -> None:
    holidays = frozenset(today - k for k in others) | {today}
    days, weeks = likes(holidays, today)
    sundays = {k for k in range(1, 15) if (date(1970, 1, 1) + timedelta(days=today - k)).weekday() == 6}
    assert list(days[: len(sundays | others)]) == sorted(sundays | others)[:7]
    assert set(days) <= sundays | others
    assert weeks == tuple(sorted(sundays | others)[:2])


def test_without_holidays_days_are_days_and_weeks_are_weeks() -> None:
    assert likes(frozenset(), 20_000) == ((1, 2, 3, 4, 5, 6, 7), (7, 14))


def test_calendars_come_from_the_policies() -> None:
    one = policy("web", "qps", "queue_backlog", timeZone="Europe/Berlin", holidays=["1970-01-03"])
    found = calendars_of([one, policy("api")])
    assert [found[one.series(s).id] for s in one.spec.signals] == [
        Calendar("Europe/Berlin", frozenset([2]))
    ] * 2
    assert found[policy("api").series(policy("api").spec.signals[0]).id] == PLAIN


def office(moment: datetime) -> float:
    """A load that jumps at eight o'clock and falls at twenty."""
    return 1_000.0 if 8 <= moment.hour < 20 else 100.0


def wrong_hours(found: Forecasts, load: LoadAt, on: date) -> set[int]:
    return {m.hour for m, f in found.items() if m.date() == on and abs(f[0] - load(m)) > 300}


@pytest.mark.parametrize(("zone", "change"), [(z, c) for z in CHANGES for c in CHANGES[z]])
def test_the_forecasts_edges_follow_the_clock_through_a_change(zone: str, change: date) -> None:
    followed, plain = forecasts(office, zone, change - timedelta(days=12), 15, Calendar(zone))
    late = {8, 20} if change.month < 7 else {7, 19}
    for on in (change, change + timedelta(days=1)):
        assert wrong_hours(followed, office, on) == set()
        assert wrong_hours(plain, office, on) >= late


HOLIDAY = date(2026, 11, 11)  # a Wednesday
KNOWN = Calendar("UTC", frozenset([day(HOLIDAY)]))


def weekly(moment: datetime) -> float:
    """Busy hours on working days; Sundays and holidays are quiet."""
    free = moment.weekday() == 6 or moment.date() == HOLIDAY
    noise = 20 * np.sin(moment.timestamp() / 5_000)  # no rhythm of a day
    return float(office(moment) * (0.2 if free else 1.0) + noise)


def test_a_holiday_is_forecast_as_such_and_leaves_no_trace() -> None:
    known, unknown = forecasts(weekly, "UTC", HOLIDAY - timedelta(days=18), 27, KNOWN)
    lost = [[pinball(f, weekly, [HOLIDAY + timedelta(days=k)]) for k in range(9)] for f in (known, unknown)]
    assert all(with_it < without for with_it, without in zip(*lost, strict=True))
    for ahead in (0, 7):  # on the day, and where its like is looked for a week later
        assert lost[0][ahead] < 0.5 * lost[1][ahead]


def lags_of(calendar: Calendar, on: date, behind_days: int) -> NDArray[np.intp]:
    """Days back, in beats, of a series with so many days behind it and of a plain one."""
    calendars = Calendars(HOURLY)
    calendars.assign([calendar, PLAIN], 0)
    return calendars.lags(day(on) * 24, False, np.full(2, behind_days * 24, dtype=np.int32))


def test_a_series_too_young_for_a_sunday_takes_a_holiday_for_a_day() -> None:
    days = 24 * np.arange(1, 8)
    np.testing.assert_array_equal(lags_of(KNOWN, HOLIDAY, 2), np.stack([days, days], axis=1))
    np.testing.assert_array_equal(lags_of(KNOWN, HOLIDAY, 3)[:, 0], 24 * np.array([3, 10, 3, 10, 3, 10, 3]))


@pytest.mark.parametrize("calendar", [Calendar("Etc/UTC"), Calendar("Europe/Berlin"), KNOWN])
def test_where_no_clock_changes_and_no_holiday_is_near_all_series_share_their_lags(
    calendar: Calendar,
) -> None:
    np.testing.assert_array_equal(lags_of(calendar, date(2026, 7, 1), 30), 24 * np.arange(1, 8)[:, None])


def test_beats_that_an_engine_skipped_count_as_time() -> None:
    calendars = Calendars(HOURLY)
    calendars.assign([KNOWN], 24 * day(HOLIDAY))
    assert calendars.lags(0, False, np.full(1, 1_000, dtype=np.int32))[0, 0] == 24 * 3
