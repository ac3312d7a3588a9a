"""What a nowcast is told from."""

import numpy as np
import pytest

from predictor.grid import L, Q
from predictor.nowcast.sight import BACK_MS, FEATURES, WINDOWS, K, Seen, sight

NAN = float("nan")


def seen(raw: float = 100, past: float = 90, ahead: float = 121, times: float = 1) -> Seen:
    """Of one series; the expected quantiles lie 10 apart."""
    expected = ahead + 10 * np.arange(Q)[:, None] + np.zeros((L, Q, 1))
    back, windows = np.full((len(BACK_MS), 1), past), np.full((len(WINDOWS), 1), past)
    return Seen(*(times * one for one in (np.array([raw]), back, windows, windows, expected)))


def test_features_are_relative_to_now_and_to_the_expected_spread() -> None:
    found = sight(seen(raw=100, past=81, ahead=121))
    spread = np.sqrt(141) - 11
    by_name = dict(zip(FEATURES, found.x[:, 0], strict=True))
    assert len(by_name) == K
    assert by_name["one"] == 1
    assert by_name["back15"] == by_name["mean5"] == by_name["max15"] == pytest.approx((9 - 10) / spread)
    assert by_name["expected50"] == by_name["later"] == pytest.approx((11 - 10) / spread)
    assert by_name["expected95"] == pytest.approx(1 + 1 / spread)


def test_a_load_that_is_a_thousand_times_as_large_looks_the_same() -> None:
    small, large = sight(seen()), sight(seen(times=1000))
    np.testing.assert_allclose(small.x, large.x)
    told = np.array([[-1.0], [0.5], [1.0], [2.0]])
    np.testing.assert_allclose(1000 * small.load(told), large.load(told))


def test_a_truth_comes_back_as_it_was() -> None:
    found = sight(seen())
    load = np.array([123.0])
    np.testing.assert_allclose(found.load(np.tile(found.rooted(load), (Q, 1))), np.full((Q, 1), 123.0))


def test_what_is_not_known_of_the_past_counts_as_now() -> None:
    found = sight(seen(past=NAN))
    assert (found.x[1 : 1 + len(BACK_MS) + 2 * len(WINDOWS)] == 0).all()
    assert np.isfinite(found.x).all()


@pytest.mark.parametrize("missing", [{"raw": NAN}, {"ahead": NAN}, {"raw": 0.0, "past": 0.0, "ahead": NAN}])
def test_without_a_sample_or_a_forecast_nothing_is_told(missing: dict[str, float]) -> None:
    found = sight(seen(**missing))
    assert np.isnan(found.load(found.x[:Q])).all()


def test_a_load_that_never_was_has_no_spread_to_tell_by() -> None:
    nothing = seen(raw=0, past=0)._replace(expected=np.zeros((L, Q, 1)))
    assert np.isnan(sight(nothing).x[1:]).all()


def test_nothing_is_told_below_nothing_or_beyond_twice_the_largest() -> None:
    found = sight(seen(raw=100, past=90, ahead=121))
    told = found.load(np.array([[-1e6], [1e6]]))
    assert told[:, 0].tolist() == [0, pytest.approx(2 * 151)]
