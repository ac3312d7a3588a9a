from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cme.core.cron import CronWindow, cron_problem

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def local(time_ms: int | None) -> str:
    assert time_ms is not None
    return datetime.fromtimestamp(time_ms / 1000, BERLIN).isoformat(timespec="minutes")


HALF_PAST_TWO = CronWindow("30 2 * * *", 3_600_000, "Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-03-29T01:59", "2026-03-28T02:30+01:00"),
        ("2026-03-29T03:00", "2026-03-29T03:00+02:00"),  # 02:30 is skipped: it happens right after the gap
        ("2026-10-25T02:29", "2026-10-24T02:30+02:00"),
        ("2026-10-25T02:30", "2026-10-25T02:30+02:00"),
    ],
)
def test_daylight_saving_is_pinned(now: str, start: str) -> None:
    assert local(HALF_PAST_TWO.last_start(ms(now))) == start


def test_a_doubled_fixed_time_happens_once() -> None:
    assert local(HALF_PAST_TWO.last_start(ms("2026-10-25T02:45", fold=1))) == "2026-10-25T02:30+02:00"


def test_a_window_includes_its_start_and_not_its_end() -> None:
    start = ms("2026-06-01T02:30")
    assert not HALF_PAST_TWO.active(start - 1)
    assert HALF_PAST_TWO.active(start)
    assert HALF_PAST_TWO.active(start + 3_599_999)
    assert not HALF_PAST_TWO.active(start + 3_600_000)


def test_a_window_may_cross_midnight() -> None:
    night = CronWindow("0 22 * * *", 10 * 3_600_000, "Asia/Shanghai")
    assert night.active(ms("2026-06-02T03:00", ZoneInfo("Asia/Shanghai")))


@pytest.mark.parametrize("bad", ["", "* * * *", "61 * * * *", "@hourly x", "0 0 30 2 *"])
def test_what_never_fires_is_refused(bad: str) -> None:
    assert cron_problem(bad)
