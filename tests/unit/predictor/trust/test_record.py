"""The sums of a day."""

from dataclasses import astuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.arrays import Arrays, Floats
from predictor.grid import Grid
from predictor.trust.record import FIGURES, Day, Record, compared

GRID = Grid()
LOAD = st.floats(0, 1e6, width=32)


def one(*values: float) -> Floats:
    return np.array([values], dtype=np.float32)


def origin(truth: float, median: float, ours: float, baseline: float, known: bool = True) -> Day:
    return compared(one(truth), one(median), one(ours), one(baseline), np.array([[known]]))


def test_an_origin_counts_its_own_and_the_opponents_losses() -> None:
    day = origin(truth=100, median=90, ours=120, baseline=80)
    found = [float(value[0, 0]) for value in astuple(day)]
    np.testing.assert_allclose(found, [1, 1, 0, 0.05 * 20, 0.95 * 20, 20, 0, 10, 100], rtol=1e-5)


def test_what_is_not_known_counts_nothing() -> None:
    assert not np.any(astuple(origin(5, 4, 3, 2, known=False)))
    assert not np.any(astuple(origin(float("nan"), 4, 3, 2, known=False)))


@given(truth=LOAD, low=LOAD, high=LOAD)
def test_ours_and_the_opponents_are_measured_alike(truth: float, low: float, high: float) -> None:
    day, mirrored = origin(truth, 0, low, high), origin(truth, 0, high, low)
    assert day.loss == mirrored.baseline_loss
    assert day.over == mirrored.baseline_over
    assert day.covered == mirrored.baseline_covered


def test_the_day_is_the_last_24_to_30_hours_and_nothing_older() -> None:
    arrays = Arrays()
    record = Record(arrays, GRID.cells, GRID.day)
    arrays.grow(1)
    counts = []
    for beat in range(3 * GRID.day):
        record.begin(beat)
        record.learn(beat, slice(0, 1), origin(1, 1, 1, 1, known=beat < GRID.day))
        counts.append(float(record.sums()[FIGURES.index("count"), 0, 0]))
    day, quarter = GRID.day, GRID.day // 4
    assert counts[:day:quarter] == [1 + quarter * n for n in range(4)]
    assert counts[2 * day - 1] == 0 or counts[2 * day - 1] == quarter
    assert set(counts[2 * day + quarter :]) == {0.0}
    assert min(counts[day - 1 : day + quarter - 1]) == day
