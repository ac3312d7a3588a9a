import numpy as np
import pytest
from pydantic import ValidationError

from cme.sources.demo import DAY_S, Demo, Loads, Spec, load_at

WEEK = 1_699_833_600 + np.arange(0, 7 * DAY_S, 60.0)  # from Monday 2023-11-13 00:00 UTC
LOADS = ("tide", "bursts", "batch")


def by_day(name: str) -> Loads:
    return load_at(name, WEEK).reshape(7, -1)


def hours(first: float, last: float) -> slice:
    return slice(round(first * 60), round(last * 60))


@pytest.mark.parametrize("name", LOADS)
def test_the_same_moment_always_has_the_same_load(name: str) -> None:
    np.testing.assert_array_equal(load_at(name, WEEK), load_at(name, WEEK.copy()))
    np.testing.assert_array_equal(load_at(name, WEEK[::-1])[::-1], load_at(name, WEEK))
    np.testing.assert_array_equal(load_at(name, WEEK[777:778]), load_at(name, WEEK)[777:778])


def test_the_loads_are_those_of_every_run() -> None:
    """Values of the first release: a demo's past must fit its present across versions."""
    moment = np.array([1_700_000_000.0])
    found = [float(load_at(name, moment)[0]) for name in LOADS]
    assert found == pytest.approx(EXPECTED, rel=1e-9)


@pytest.mark.parametrize("name", LOADS)
def test_loads_are_finite_and_not_negative(name: str) -> None:
    load = load_at(name, WEEK)
    assert np.isfinite(load).all()
    assert (load >= 0).all()


def test_the_tide_goes_from_60_to_2500() -> None:
    tide = by_day("tide")
    assert 55 < tide.min() < 65
    assert 2400 < tide[:5].max() < 2600


def test_the_tide_is_low_before_dawn_high_in_the_afternoon_and_lower_on_weekends() -> None:
    tide = by_day("tide")
    assert set(tide.argmin(axis=1) // 60) <= {3, 4}
    assert set(tide.argmax(axis=1) // 60) <= {14, 15, 16, 17}
    assert 0.75 < tide[5:].max(axis=1).mean() / tide[:5].max(axis=1).mean() < 0.85


def test_the_batch_fills_the_night_and_no_more() -> None:
    batch = by_day("batch")
    assert (batch[:, hours(22.5, 24)] > 800).all()
    assert (batch[:, hours(0, 5.5)] > 800).all()
    assert (batch[:, hours(6, 22)] < 10).all()


def test_the_bursts_come_at_once_and_are_worked_off() -> None:
    change = np.diff(load_at("bursts", WEEK))
    assert change.max() > 1000
    assert change.min() > -300
    assert (load_at("bursts", WEEK) < 40).mean() > 0.7


async def test_a_read_tells_the_moments_load() -> None:
    harvest = await Demo(Spec(load="tide"), None).read(1_700_000_000_500, 1.0)
    (reading,) = harvest.readings
    assert reading.time_ms == 1_700_000_000_500
    assert reading.value == load_at("tide", np.array([1_700_000_000.5]))[0]


def test_an_unknown_load_is_refused() -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate({"load": "flood"})


EXPECTED = [739.6738930132996, 150.61035832093188, 395.82257190727694]
