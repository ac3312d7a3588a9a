"""Truths of saturated workloads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.arrays import Arrays
from predictor.grid import AT, MAX, Grid, T
from predictor.trust.bounds import Bounds, certain

GRID = Grid()


def bounds(series: int = 1) -> Bounds:
    arrays = Arrays()
    made = Bounds(arrays, GRID)
    arrays.grow(series)
    return made


@given(st.lists(st.booleans(), min_size=1, max_size=100))
def test_a_truth_is_a_lower_bound_when_its_window_holds_a_saturated_beat(beats: list[bool]) -> None:
    made = bounds()
    for saturated in beats:
        made.see(np.array([saturated]))
    lower = made.lower()[:, 0]
    for lead, window in enumerate(GRID.lead_beats):
        assert lower[T * lead + AT] == beats[-1]
        assert lower[T * lead + MAX] == any(beats[-window:])


def test_nobody_saturated_is_the_same_as_all_false() -> None:
    told, untold = bounds(2), bounds(2)
    for made in (told, untold):
        made.see(np.array([True, False]))
    told.see(np.zeros(2, dtype=bool))
    untold.see(None)
    np.testing.assert_array_equal(told.lower(), untold.lower())
    assert told.lower()[:, 1].sum() == 0


def test_a_lower_bound_teaches_only_above_the_forecast() -> None:
    truth, upper = np.array([[5.0, 5.0, 5.0, 5.0]], dtype="f"), np.array([[4.0, 6.0, 6.0, 4.0]], dtype="f")
    known, lower = np.array([[True, True, True, False]]), np.array([[True, True, False, True]])
    assert certain(known, lower, truth, upper).tolist() == [[True, False, True, False]]
