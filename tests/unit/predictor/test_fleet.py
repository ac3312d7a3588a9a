"""Series of other steps than the five minutes, each in the engine that fits."""

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from predictor.fleet import Fleet
from predictor.grid import AT, LEADS_MS, MAX
from tests.unit.predictor.stage import minute

DAY = DAY_MS // MINUTE_MS
SIX_HOURS = LEADS_MS.index(6 * HOUR_MS)


def wave(end: int, phase: float = 0.0) -> float:
    """A load with a daily wave, at a minute's number."""
    return float(1_000 + 500 * np.sin(2 * np.pi * end / DAY + phase))


def fed(fleet: Fleet, ends: Iterable[int]) -> Fleet:
    """Series 1 has a value at each of the minutes; returns the fleet."""
    for end in ends:
        fleet.learn(minute(end * MINUTE_MS, s1=wave(end)))
    return fleet


def hourly(days: int, since: int = 0) -> range:
    return range(since + 60, since + days * DAY + 1, 60)


def forecast(fleet: Fleet) -> NDArray[np.float32]:
    """Of the first series, [target, lead, quantile]."""
    return fleet.forecast()[1].values[..., 0]


@pytest.fixture(scope="module")
def saved() -> dict[str, NDArray[Any]]:
    """Five days of hours."""
    return fed(Fleet(), hourly(5)).save()


@pytest.fixture
def learned(saved: dict[str, NDArray[Any]]) -> Fleet:
    fleet = Fleet()
    fleet.load(saved)
    return fed(fleet, [5 * DAY])  # once more, as a restart reads it


def test_a_series_of_hours_is_forecast_by_its_day(learned: Fleet) -> None:
    values = forecast(learned)
    assert values[AT, SIX_HOURS, 0] == pytest.approx(wave(5 * DAY + 6 * 60), abs=50)
    assert abs(wave(5 * DAY + 6 * 60) - wave(5 * DAY)) > 400  # the last value would be far off


def test_it_has_all_leads_and_their_quantiles_are_ordered(learned: Fleet) -> None:
    values = forecast(learned)
    assert np.isfinite(values).all()
    assert (np.diff(values, axis=-1) >= 0).all()
    assert (np.diff(values[MAX, :, -1]) >= 0).all()


def test_between_its_values_the_forecast_moves_on_with_time(learned: Fleet) -> None:
    fleet, at_once = learned, forecast(learned)
    for end in range(5 * DAY + 1, 5 * DAY + 60):
        fleet.learn(minute(end * MINUTE_MS, s2=1.0))
    later = forecast(fleet)
    expected = wave(5 * DAY + 119)
    one_hour = LEADS_MS.index(HOUR_MS)
    assert abs(later[AT, one_hour, 0] - expected) < abs(at_once[AT, one_hour, 0] - expected)
    fleet.learn(minute((5 * DAY + 90) * MINUTE_MS, s2=1.0))
    assert np.isnan(forecast(fleet)).all()  # its next value is half an hour overdue


def test_a_day_without_values_stays_a_gap_and_passes(learned: Fleet) -> None:
    for end in range(5 * DAY + 60, 6 * DAY + 1, 60):
        learned.learn(minute(end * MINUTE_MS, s2=1.0))
    assert np.isnan(forecast(learned)).all()
    fed(learned, range(6 * DAY + 60, 6 * DAY + 181, 60))
    assert forecast(learned)[AT, SIX_HOURS, 0] == pytest.approx(wave(6 * DAY + 9 * 60), abs=150)


def test_a_doubled_step_moves_the_series_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fleet = fed(Fleet(), range(30, DAY, 30))
    assert "series 0000000000000001 is now learned in beats of 30 minutes" in caplog.text
    assert "60 minutes" not in caplog.text
    fed(fleet, hourly(1, since=DAY))
    assert "series 0000000000000001 is now learned in beats of 60 minutes" in caplog.text


def test_a_series_that_comes_back_goes_on_from_where_it_was(learned: Fleet) -> None:
    fed(learned, range(5 * DAY + 1, 5 * DAY + 20))
    fed(learned, hourly(1, since=5 * DAY))
    assert forecast(learned)[AT, SIX_HOURS, 0] == pytest.approx(wave(6 * DAY + 6 * 60), abs=250)


def test_series_of_several_steps_are_forecast_side_by_side_and_kept() -> None:
    fleet = Fleet()
    for end in range(1, DAY // 2):
        due = {f"s{step}": 100.0 * step for step in (1, 3, 10, 30) if end % step == 0}
        fleet.learn(minute(end * MINUTE_MS, **due))
    restored = Fleet()
    restored.load(fleet.save())
    for one in (fleet, restored):
        for end in range(DAY // 2 - 25, DAY // 2 + 1):  # the open beats' minutes once more
            due = {f"s{step}": 100.0 * step for step in (1, 3, 10, 30) if end % step == 0}
            one.learn(minute(end * MINUTE_MS, **due))
    (ids, whole), (_, again) = fleet.forecast(), restored.forecast()
    assert ids.tolist() == [1, 3, 10, 30]
    np.testing.assert_allclose(whole.values[AT, :, 0], np.tile(100.0 * ids, (5, 1)), rtol=0.05)
    np.testing.assert_array_equal(again.values, whole.values)
    np.testing.assert_array_equal(again.uncalibrated, whole.uncalibrated)


def test_the_past_that_is_primed_gives_a_series_of_hours_its_day() -> None:
    fleet = Fleet()
    for end in hourly(3):
        fleet.prime(minute(end * MINUTE_MS, s1=wave(end)), seasons=True)
    fed(fleet, range(3 * DAY + 60, 3 * DAY + 241, 60))
    assert forecast(fleet)[AT, SIX_HOURS, 0] == pytest.approx(wave(3 * DAY + 10 * 60), abs=200)
