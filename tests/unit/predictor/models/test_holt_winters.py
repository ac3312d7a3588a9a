import numpy as np
import pytest

from predictor.models.holt_winters import UNTUNED, Doubles, smoothed

DAY = 24


def load(days: int, noise: float = 1.0) -> Doubles:
    at, random = np.arange(days * DAY), np.random.default_rng(3)
    return np.asarray(100 + 40 * np.sin(2 * np.pi * at / DAY) + noise * random.standard_normal(len(at)))


def test_it_forecasts_the_day_that_it_was_tuned_on() -> None:
    values = load(14)
    found = smoothed(values, DAY, 7 * DAY)
    for steps in (1, 6):
        error = values[7 * DAY + steps :] - found.at(steps)[7 * DAY : -steps]
        assert np.abs(error).mean() < 1.5  # a perfect one is off by the noise, .8


def test_the_largest_is_that_of_the_steps_up_to_there() -> None:
    found = smoothed(load(5), DAY, 3 * DAY)
    steps = [found.at(step) for step in range(1, 7)]
    np.testing.assert_allclose(found.largest(6), np.max(steps, axis=0))


def test_the_recursions_are_those_of_the_book() -> None:
    values = load(4)
    found = smoothed(values, DAY, DAY)  # too short to tune, so that the parameters are known
    alpha, gamma = UNTUNED
    level = values[:DAY].mean()
    season = {t - DAY: values[t] - level for t in range(DAY)}
    for t, value in enumerate(values):
        before = level
        level = alpha * (value - season[t - DAY]) + (1 - alpha) * before
        season[t] = gamma * (value - before) + (1 - gamma) * season[t - DAY]
        assert found.level[t] == pytest.approx(level)
        assert found.at(3)[t] == pytest.approx(level + season[t + 3 - DAY])


def test_what_comes_later_changes_nothing() -> None:
    values = load(8)
    other = np.where(np.arange(len(values)) < 6 * DAY, values, 9e9)
    one, two = smoothed(values, DAY, 5 * DAY), smoothed(other, DAY, 5 * DAY)
    np.testing.assert_array_equal(one.at(6)[: 6 * DAY], two.at(6)[: 6 * DAY])


@pytest.mark.parametrize("value", [0.0, 7.0, 1e-9])
def test_a_flat_series_is_forecast_to_stay(value: float) -> None:
    assert smoothed(np.full(9 * DAY, value), DAY, 7 * DAY).at(6) == pytest.approx(value)


def test_gaps_change_nothing_and_what_was_never_seen_is_zero() -> None:
    values = load(9)
    values[8 * DAY :] = np.nan
    level = smoothed(values, DAY, 7 * DAY).level
    assert (level[8 * DAY :] == level[8 * DAY - 1]).all()
    assert not smoothed(np.full(3 * DAY, np.nan), DAY, DAY).at(1).any()
