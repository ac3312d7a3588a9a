"""Truths of saturated workloads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import AT, MAX, Grid, T
from predictor.history import Bin
from predictor.trust.bounds import Bounds, certain, raised

GRID = Grid()


def bounds(series: int = 1) -> Bounds:
    memory = Arrays()
    made = Bounds(memory, GRID)
    memory.grow(series)
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


LOADS = arrays(np.float32, 4, elements=st.floats(0, 1e6, width=32))


@given(load=LOADS, expected=LOADS, largest=LOADS, saturated=arrays(np.bool_, 4))
def test_where_saturated_history_keeps_what_was_expected_but_nothing_new(
    load: Floats, expected: Floats, largest: Floats, saturated: Known
) -> None:
    kept = raised(
        Bin(load, load * np.float32(0.5), load * np.float32(2), saturated=saturated), expected, largest
    )
    assert kept.last[~saturated].tolist() == load[~saturated].tolist()
    assert (kept.last >= load).all()
    assert (kept.last <= np.maximum(load, np.minimum(expected, largest))).all()
    assert (kept.last[saturated] >= np.minimum(expected, largest)[saturated]).all()
    assert (kept.mean <= kept.last).all()
    assert (kept.last <= kept.largest).all()


def test_a_gap_stays_a_gap_and_nothing_expected_raises_nothing() -> None:
    nan, five, yes = np.full(1, np.nan, "f"), np.full(1, 5, "f"), np.array([True])
    assert np.isnan(raised(Bin(nan, nan, nan, saturated=yes), five, five).last).all()
    assert raised(Bin(five, five, five, saturated=yes), nan, five).last.tolist() == [5.0]
