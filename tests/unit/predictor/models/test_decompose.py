import numpy as np
import pytest

from cme.core.errors import InvalidInput
from predictor.models.decompose import Doubles, decompose

HOURS = 28 * 24


def load(day: float = 10, week: float = 0, noise: float = 1, hours: int = HOURS) -> Doubles:
    at, random = np.arange(hours), np.random.default_rng(7)
    seasons = day * np.sin(2 * np.pi * at / 24) + week * (at % 168 >= 120)
    return np.asarray(100 + seasons + noise * random.normal(size=hours), dtype=float)


def test_the_parts_sum_up_to_the_series() -> None:
    values = load(week=-20)
    parts = decompose(values)
    np.testing.assert_allclose(parts.trend + parts.day + parts.week + parts.rest, values)


def test_a_daily_load_has_a_strong_day_and_no_week() -> None:
    strengths = decompose(load()).strengths
    assert strengths["day"] > 0.95
    assert strengths["week"] < 0.5


def test_quiet_weekends_make_a_week() -> None:
    assert decompose(load(week=-30)).strengths["week"] > 0.9


def test_gaps_stay_gaps() -> None:
    values = load()
    values[100:124] = np.nan
    parts = decompose(values)
    assert np.isnan(parts.rest[100:124]).all()
    assert np.isfinite(np.delete(parts.rest, np.arange(100, 124))).all()


def test_less_than_two_weeks_tell_no_week() -> None:
    parts = decompose(load(hours=10 * 24))
    assert not parts.week.any()
    assert parts.strengths["day"] > 0.9


def test_a_flat_series_has_no_season() -> None:
    assert decompose(np.full(HOURS, 5.0)).strengths == {"day": 0.0, "week": 0.0}


@pytest.mark.parametrize("values", [load(hours=71), np.where(np.arange(HOURS) % 3, np.nan, load())])
def test_too_little_is_refused(values: Doubles) -> None:
    with pytest.raises(InvalidInput, match="hours have a value"):
        decompose(values)
