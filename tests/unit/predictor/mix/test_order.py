"""Quantiles of largest loads in order over the leads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.arrays import Floats
from predictor.grid import AT, MAX, L, Q, T
from predictor.mix.order import in_order

LOADS = st.lists(st.floats(0, 1e6, width=32), min_size=L * T * Q, max_size=L * T * Q)


def cells(loads: list[float]) -> Floats:
    """[C, Q, series], quantiles ascending as the mix makes them."""
    return np.sort(np.array(loads, dtype=np.float32).reshape(L * T, Q, 1), axis=1)


@given(loads=LOADS)
def test_no_largest_load_is_less_than_what_it_contains(loads: list[float]) -> None:
    by_lead = in_order(cells(loads)).reshape(L, T, Q)
    assert (np.diff(by_lead[:, MAX], axis=0) >= 0).all()
    assert (by_lead[:, MAX] >= by_lead[:, AT]).all()
    assert (np.diff(by_lead, axis=2) >= 0).all()


@given(loads=LOADS)
def test_it_raises_no_more_than_it_must(loads: list[float]) -> None:
    before = cells(loads)
    after = in_order(before)
    np.testing.assert_array_equal(after[AT::T], before[AT::T])
    assert (after >= before).all()
    np.testing.assert_array_equal(in_order(after), after)
    np.testing.assert_array_equal(after[-1], before.max(axis=0))
