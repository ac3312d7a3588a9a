import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.backtest.opponents import (
    HOLT_WINTERS,
    HOLT_WINTERS_CONFORMAL,
    HOUR_MAX,
    LAST,
    LAST_CONFORMAL,
    NAMES,
    Doubles,
    Opponents,
    conformal,
)
from predictor.backtest.traces import Trace
from predictor.backtest.truths import truth_of
from tests.unit.predictor.backtest.tales import evenly, tide


def trace(values: Doubles, step_s: int = 300) -> Trace:
    return Trace("web", evenly(step_s, len(values)), values)


def forecasts(values: Doubles, target: str = "at", step_s: int = 300) -> dict[str, Doubles]:
    return Opponents(trace(values, step_s), 0.95).forecasts(target, 3600)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0.5, 0.99))
def test_the_conformal_quantile_covers_the_share_that_it_promises(errors: list[float], q: float) -> None:
    found = conformal(np.array(errors), q)
    assert found in errors
    covered = int((np.array(errors) <= found).sum())
    assert covered >= min(len(errors), (len(errors) + 1) * q - 1e-6)


def test_the_last_value_and_the_largest_of_an_hour_are_of_what_is_known_at_the_origin() -> None:
    values = tide(4, 300)
    values[600:620] = np.nan
    found, origins = forecasts(values), trace(values).origins
    at = int(np.flatnonzero(origins == 610)[0])
    assert found[LAST][at] == values[599]
    assert found[HOUR_MAX][at] == values[599]
    assert found[HOUR_MAX][at + 200] == values[799:811].max()


@pytest.mark.parametrize("target", ["at", "max"])
@pytest.mark.parametrize("step_s", [60, 120, 300, 3600])
def test_a_margin_of_its_own_errors_covers_what_it_promises(target: str, step_s: int) -> None:
    values = tide(16, step_s)
    found = forecasts(values, target, step_s)
    truth = truth_of(target, values, trace(values, step_s).origins, 3600 // step_s)
    for name in (LAST_CONFORMAL, HOLT_WINTERS_CONFORMAL):
        assert (truth <= found[name]).mean() == pytest.approx(0.95, abs=0.03)
    assert (truth <= found[HOLT_WINTERS]).mean() < 0.8


@pytest.mark.parametrize("target", ["at", "max"])
def test_nobody_knows_what_comes_later(target: str) -> None:
    values = tide(6, 300)
    cut = 4 * 288
    other = np.where(np.arange(len(values)) < cut, values, values * 50)
    one, two = forecasts(values, target), forecasts(other, target)
    before = trace(values).origins < cut
    for name in NAMES:
        np.testing.assert_array_equal(one[name][before], two[name][before])


@pytest.mark.parametrize("days", [0.3, 1.0, 2.0, 3.0])
def test_a_short_or_empty_trace_has_opponents_too(days: float) -> None:
    for values in (tide(days, 300), np.full(int(days * 288), np.nan), np.zeros(int(days * 288))):
        for name, found in forecasts(values, "max").items():
            assert np.isfinite(found).all(), name
            assert len(found) == len(trace(values).origins)
