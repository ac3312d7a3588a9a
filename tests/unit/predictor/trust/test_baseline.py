"""The opponent against the exact rolling quantile that it stands for."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.arrays import Arrays, Floats
from predictor.grid import Grid
from predictor.trust.baseline import LEVEL, Baseline
from tests.rolling import Doubles, pinball, rolling_quantile

GRID = Grid()
DAYS = 21
BEATS = DAYS * GRID.day


def tide(rng: np.random.Generator) -> Doubles:
    level = 1000 + 800 * np.sin(2 * np.pi * np.arange(BEATS) / GRID.day)
    return np.asarray(level * (1 + 0.05 * rng.standard_normal(BEATS)))


def walk(rng: np.random.Generator) -> Doubles:
    return np.asarray(1e4 + rng.standard_normal(BEATS).cumsum())


def bursts(rng: np.random.Generator) -> Doubles:
    return np.asarray(rng.lognormal(3, 1, BEATS))


def steps(rng: np.random.Generator) -> Doubles:
    """Noise of ten times the size in every other week."""
    size = np.where(np.arange(BEATS) // (7 * GRID.day) % 2, 10, 1)
    return np.asarray(1000 + size * rng.standard_normal(BEATS))


def tracked(errors: Doubles, cell: int) -> Doubles:
    """What the baseline lies above the last value after each of the cell's errors."""
    arrays = Arrays()
    baseline = Baseline(arrays, GRID.strides, GRID.day)
    arrays.grow(1)
    known = np.ones((1, 1), dtype=bool)
    found = np.empty(len(errors))
    for i, error in enumerate(errors):
        baseline.learn(slice(cell, cell + 1), np.full((1, 1), error, dtype=np.float32), known)
        found[i] = baseline.quantile(np.zeros(1, dtype=np.float32))[cell, 0]
    return found


@pytest.mark.parametrize(
    ("load", "worse", "off"),
    [(tide, 1.05, 0.01), (walk, 1.05, 0.01), (bursts, 1.05, 0.01), (steps, 1.1, 0.04)],
)
@pytest.mark.parametrize("lead", [0, 3])
def test_it_is_as_good_as_the_quantile_of_a_rolling_week(
    load: Callable[[np.random.Generator], Doubles], worse: float, off: float, lead: int
) -> None:
    x, beats, stride = load(np.random.default_rng(1)), GRID.lead_beats[lead], int(GRID.strides[2 * lead])
    errors = (x[beats:] - x[:-beats])[::stride]
    delay, per_day = -(-beats // stride), GRID.day // stride
    truth = errors[7 * per_day + delay :]
    exact = rolling_quantile(errors, float(LEVEL), 7 * per_day)[7 * per_day : -delay]
    ours = tracked(errors, 2 * lead)[7 * per_day : -delay]
    assert pinball(truth - ours, 0.95) <= worse * pinball(truth - exact, 0.95)
    assert (truth <= ours).mean() == pytest.approx((truth <= exact).mean(), abs=off)


# Multiples of a thousandth: below the smallest normal float32 a half is no longer exact.
errors_ = st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 1000), min_size=1, max_size=60)


@settings(deadline=None)
@given(errors=errors_, power=st.integers(-8, 8))
def test_it_knows_no_units(errors: list[float], power: int) -> None:
    whole = np.array(errors, dtype=float)
    np.testing.assert_allclose(tracked(whole * 2.0**power, 0), tracked(whole, 0) * 2.0**power, rtol=1e-3)


@settings(deadline=None)
@given(errors=errors_)
def test_it_stays_within_what_it_has_seen(errors: list[float]) -> None:
    found = tracked(np.array(errors, dtype=float), 0)
    span = max(errors) - min(errors)
    assert (found <= max(errors) + 0.05 * span + 1e-3).all()
    assert (found >= min(errors) - 0.05 * span - 1e-3).all()


def test_what_is_not_known_teaches_nothing() -> None:
    arrays = Arrays()
    baseline = Baseline(arrays, GRID.strides, GRID.day)
    arrays.grow(2)
    error: Floats = np.full((GRID.cells, 2), 5, dtype=np.float32)
    baseline.learn(slice(None), error, np.broadcast_to([True, False], error.shape))
    assert baseline.quantile(np.zeros(2, dtype=np.float32))[0].tolist() == [5.0, 0.0]
