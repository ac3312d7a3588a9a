"""Between the leads and quantiles of the grid."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cme.core.policy import SOON_MS
from predictor.between import at_quantile, between, from_now
from predictor.grid import LEADS_MS, QUANTILES, L, Q

MINUTE = 60_000
NAN = float("nan")
LEADS = st.floats(0, 12 * 60 * MINUTE)
QUANTILE = st.floats(0.01, 0.99)
LOAD = st.floats(0, 1e6)
Grid = NDArray[np.float64]
UNSAID = np.full(Q, NAN)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """[lead, quantile]: quantiles ascend at each lead, as the engine makes them."""
    rows = [sorted(draw(st.lists(LOAD, min_size=Q, max_size=Q))) for _ in range(L)]
    return np.array(rows)


def one(grid: Grid, now: float, lead: float, quantile: float, soon: Grid = UNSAID) -> float:
    told = at_quantile(soon[:, None], np.array([quantile]))
    moment = np.array([now]), told, np.array([lead]), np.array([quantile])
    return float(between(grid[:, :, None], *moment)[0])


@given(grid=grids(), now=LOAD)
def test_on_the_grid_it_is_the_grid(grid: Grid, now: float) -> None:
    for lead, lead_ms in enumerate(LEADS_MS):
        for q, quantile in enumerate(QUANTILES):
            assert one(grid, now, lead_ms, quantile) == pytest.approx(grid[lead, q], rel=1e-9, abs=1e-6)


@given(grid=grids(), now=LOAD, lead=LEADS, low=QUANTILE, high=QUANTILE)
def test_a_higher_quantile_is_never_less(
    grid: Grid, now: float, lead: float, low: float, high: float
) -> None:
    assume(low <= high)
    assert one(grid, now, lead, low) <= one(grid, now, lead, high) * (1 + 1e-9) + 1e-6


@given(grid=grids(), now=LOAD, lead=LEADS, quantile=QUANTILE)
def test_it_leaves_neither_its_leads_nor_its_quantiles(
    grid: Grid, now: float, lead: float, quantile: float
) -> None:
    right = min(int(np.searchsorted(LEADS_MS, lead)), L - 1)
    around = np.array([*grid[right], *(grid[right - 1] if right else [now])])
    value = one(grid, now, lead, quantile)
    assert around.min() - 1e-6 <= value <= around.max() * (1 + 1e-9) + 1e-6


@given(grid=grids(), now=LOAD, lead=LEADS, quantile=QUANTILE)
def test_a_little_more_lead_or_quantile_is_a_little_other_value(
    grid: Grid, now: float, lead: float, quantile: float
) -> None:
    value = one(grid, now, lead, quantile)
    largest = max(grid.max(), now) + 1
    # Over a second the share moves by at most sqrt(1 s / 5 min); over 1e-7 the score by 4e-6 of 0.36.
    assert abs(one(grid, now, lead + 1_000, quantile) - value) <= 0.06 * largest
    assert abs(one(grid, now, lead, min(0.99, quantile + 1e-7)) - value) <= 1e-3 * largest


@given(grid=grids(), now=LOAD, quantile=QUANTILE)
def test_with_a_lead_of_nothing_it_is_the_last_value(grid: Grid, now: float, quantile: float) -> None:
    assert one(grid, now, 0, quantile) == pytest.approx(now)


@given(grid=grids(), now=LOAD, quantile=QUANTILE, lead=st.sampled_from(LEADS_MS))
def test_it_runs_through_the_points_of_the_grid(grid: Grid, now: float, quantile: float, lead: float) -> None:
    at = one(grid, now, lead, quantile)
    largest = max(grid.max(), now) + 1
    for beside in (lead - 1, lead + 1):
        assert abs(one(grid, now, beside, quantile) - at) <= 1e-4 * largest


@given(grid=grids(), now=LOAD, quantile=QUANTILE, leads=st.tuples(LEADS, LEADS))
def test_a_longer_time_has_no_smaller_largest_load(
    grid: Grid, now: float, quantile: float, leads: tuple[float, float]
) -> None:
    """As the engine serves it, ascending over the leads; the way there from the last value may descend."""
    ascending = np.maximum.accumulate(grid, axis=0)
    shorter, longer = (max(LEADS_MS[0], lead) for lead in sorted(leads))
    assert one(ascending, now, shorter, quantile) <= one(ascending, now, longer, quantile) * (1 + 1e-9) + 1e-6


def test_over_the_lead_it_grows_as_the_root_of_time() -> None:
    grid = np.full((L, Q), 100.0)
    for minutes, share in ((5 / 4, 1 / 2), (5 / 9, 1 / 3), (5, 1)):
        assert one(grid, 0.0, minutes * MINUTE, 0.95) == pytest.approx(100 * share)


def test_over_the_quantile_it_is_linear_in_the_normal_score() -> None:
    grid = np.array([[100 + 10 * NormalDist().inv_cdf(q) for q in QUANTILES]] * L)
    for quantile in (0.6, 0.8, 0.93, 0.975, 0.995, 0.999):
        expected = 100 + 10 * NormalDist().inv_cdf(quantile)
        assert one(grid, 100.0, 30 * MINUTE, quantile) == pytest.approx(expected)


def test_beyond_the_grid_are_its_ends() -> None:
    grid = np.arange(L * Q, dtype=float).reshape(L, Q)
    assert one(grid, 0.0, 24 * 60 * MINUTE, 0.99) == grid[-1, -1]
    assert one(grid, 0.0, 5 * MINUTE, 0.1) == grid[0, 0]


@pytest.mark.parametrize("minutes", [5, 10, 15, 20, 360, 1_000])
def test_without_a_last_value_the_grid_alone_counts(minutes: int) -> None:
    assert one(np.full((L, Q), 7.0), NAN, minutes * MINUTE, 0.95) == 7.0


def test_without_a_last_value_nothing_is_known_below_the_shortest_lead() -> None:
    assert np.isnan(one(np.full((L, Q), 7.0), NAN, 4 * MINUTE, 0.95))


def test_a_gap_of_the_forecast_stays_a_gap() -> None:
    assert np.isnan(one(np.full((L, Q), NAN), 5.0, 4 * MINUTE, 0.95))


def test_every_series_has_its_own_lead_and_quantile() -> None:
    grids_ = np.random.default_rng(3).uniform(0, 100, (L, Q, 40)).cumsum(axis=1)
    now = np.linspace(0, 90, 40)
    leads, quantiles = np.linspace(1, 400, 40) * MINUTE, np.linspace(0.5, 0.99, 40)
    together = between(grids_, now, np.full(40, NAN), leads, quantiles)
    alone = [one(grids_[:, :, s], now[s], leads[s], quantiles[s]) for s in range(40)]
    np.testing.assert_allclose(together, alone)


@given(
    grid=grids(),
    now=LOAD,
    missing=st.sets(st.integers(0, L - 2)),
    elapsed=st.integers(0, 60),
    lead=st.integers(0, L - 1),
)
def test_leads_that_a_forecast_lacks_are_between_those_it_has(
    grid: Grid, now: float, missing: set[int], elapsed: int, lead: int
) -> None:
    leads = tuple(i for i in range(L) if i not in missing)
    values = np.where(np.isin(np.arange(L), leads)[:, None], grid, NAN)[None, :, :, None]
    found = from_now(values.astype("f"), leads, np.array([now], "f"), elapsed * MINUTE)[0, :, :, 0]
    dust = 1e-5 * max(now, grid.max(), 1)
    assert (np.diff(found, axis=1) >= -dust).all()
    if not missing:
        assert found[lead, 2] == pytest.approx(
            one(grid, now, LEADS_MS[lead] + elapsed * MINUTE, 0.95), abs=dust
        )
    if not elapsed:
        np.testing.assert_allclose(found[list(leads)], grid[list(leads)], atol=dust)


@given(grid=grids(), now=LOAD, soon=grids(), quantile=st.sampled_from(QUANTILES))
def test_at_its_lead_the_nowcast_counts(grid: Grid, now: float, soon: Grid, quantile: float) -> None:
    told = soon[0]
    expected = told[QUANTILES.index(quantile)]
    assert one(grid, now, SOON_MS, quantile, told) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(grid=grids(), now=LOAD, soon=grids(), quantile=QUANTILE, leads=st.tuples(LEADS, LEADS))
def test_what_is_largest_soon_is_not_more_than_what_is_later(
    grid: Grid, now: float, soon: Grid, quantile: float, leads: tuple[float, float]
) -> None:
    ascending = np.maximum.accumulate(grid, axis=0)
    shorter, longer = (max(SOON_MS, lead) for lead in sorted(leads))
    less, more = (one(ascending, now, lead, quantile, soon[0]) for lead in (shorter, longer))
    assert less <= more * (1 + 1e-9) + 1e-6


@given(grid=grids(), now=LOAD, soon=grids(), lead=LEADS, low=QUANTILE, high=QUANTILE)
def test_with_a_nowcast_a_higher_quantile_is_never_less(
    grid: Grid, now: float, soon: Grid, lead: float, low: float, high: float
) -> None:
    assume(low <= high)
    less, more = (one(grid, now, lead, quantile, soon[0]) for quantile in (low, high))
    assert less <= more * (1 + 1e-9) + 1e-6


@given(grid=grids(), now=LOAD, soon=grids(), quantile=QUANTILE)
def test_with_a_nowcast_the_lead_of_nothing_is_the_last_value(
    grid: Grid, now: float, soon: Grid, quantile: float
) -> None:
    assert one(grid, now, 0, quantile, soon[0]) == pytest.approx(now)
