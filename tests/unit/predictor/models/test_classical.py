import numpy as np
import pytest

from predictor.models.classical import AHEAD_HOURS, MODELS, Doubles, ModelFailed, forecast

DAYS = 10


def tide(days: int = DAYS, noise: float = 5.0) -> Doubles:
    at, random = np.arange(days * 24), np.random.default_rng(1)
    return np.asarray(100 + 60 * np.sin(2 * np.pi * at / 24) + noise * random.standard_normal(len(at)))


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_model_forecasts_the_next_day_and_how_sure_that_is(model: str) -> None:
    hours = tide(DAYS + 1)
    mean, deviation = forecast(model, hours[:-AHEAD_HOURS])
    truth = hours[-AHEAD_HOURS:]
    assert np.abs(mean**2 - truth).mean() < 10
    assert (truth <= (mean + 2 * deviation) ** 2).mean() > 0.9
    assert (truth <= (mean - 2 * deviation) ** 2).mean() < 0.1


@pytest.mark.parametrize("model", ["ets", "unobserved-components"])
def test_gaps_and_units_change_little(model: str) -> None:
    hours, gaps = tide(), tide() * 1e6
    gaps[100:112] = np.nan
    whole, other = forecast(model, hours)[0], forecast(model, gaps)[0]
    np.testing.assert_allclose(other / 1e3, whole, rtol=0.1)


@pytest.mark.parametrize(
    ("hours", "reason"),
    [
        (np.zeros(672), "no variation"),
        (np.full(672, 1e9), "no variation"),
        (tide(6), "too few hours"),
        (np.full(672, np.nan), "too few hours"),
        (np.where(np.arange(672) % 3, np.nan, 5.0), "too few hours"),
    ],
)
def test_what_can_not_be_modeled_is_told(hours: Doubles, reason: str) -> None:
    with pytest.raises(ModelFailed, match=reason):
        forecast("ets", hours)
