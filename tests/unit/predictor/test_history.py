"""What the history holds against all that was ever pushed."""

import numpy as np
import pytest

from predictor.arrays import Arrays, Floats
from predictor.grid import MAX, Grid
from predictor.halves import unpack
from predictor.history import Bin, History

SERIES = 4
BEATS_MS = (300_000, 900_000, 3_600_000)


def told(grid: Grid, days: float, first: int = 0) -> tuple[History, Floats]:
    """A history and the largest values it was told, [beat, series]."""
    arrays = Arrays()
    history = History(arrays, grid)
    arrays.grow(SERIES)
    random = np.random.default_rng(grid.beat_ms)
    largest = random.lognormal(0, 1, (int(days * grid.day), SERIES)).astype(np.float32)
    for beat, values in enumerate(largest, first):
        history.push(beat, Bin(values, values, values), np.ones(SERIES, dtype=bool))
    return history, largest


@pytest.mark.parametrize("beat_ms", BEATS_MS)
@pytest.mark.parametrize("first", [0, 7])
def test_the_largest_of_a_day_is_that_of_its_beats(beat_ms: int, first: int) -> None:
    grid = Grid(beat_ms)
    history, largest = told(grid, 2.3, first)
    expected = largest[-grid.day :].max(axis=0)
    np.testing.assert_allclose(history.day_max(first + len(largest) - 1), expected, rtol=5e-4)


@pytest.mark.parametrize("beat_ms", BEATS_MS)
def test_truths_are_the_last_value_and_the_largest_of_each_lead(beat_ms: int) -> None:
    grid = Grid(beat_ms)
    history, largest = told(grid, 1.4)
    truth, known = history.truths(len(largest) - 1)
    assert known.all()
    for lead, beats in enumerate(grid.lead_beats):
        np.testing.assert_array_equal(truth[2 * lead], largest[-1])
        np.testing.assert_array_equal(truth[2 * lead + MAX], largest[-beats:].max(axis=0))


@pytest.mark.parametrize("beat_ms", BEATS_MS)
def test_means_over_windows_do_not_drift(beat_ms: int) -> None:
    grid = Grid(beat_ms)
    history, values = told(grid, 16)
    for window, beats in enumerate((6 * grid.hour, grid.day, 7 * grid.day)):
        np.testing.assert_allclose(history.mean(window), values[-beats:].mean(axis=0), rtol=5e-4)


@pytest.mark.parametrize("beat_ms", BEATS_MS)
def test_the_second_week_is_kept_by_quarters(beat_ms: int) -> None:
    grid = Grid(beat_ms)
    quarter = grid.beats(15)
    history, values = told(grid, 15)
    quarters = np.arange(len(values) // quarter - 14 * grid.day // quarter, len(values) // quarter)
    by_quarter = values.reshape(-1, quarter, SERIES)[quarters]
    largest, mean = (unpack(history.ring(name, quarters)) for name in ("old_largest", "old_mean"))
    np.testing.assert_allclose(largest, by_quarter.max(axis=1), rtol=5e-4)
    np.testing.assert_allclose(mean, by_quarter.mean(axis=1), rtol=5e-4)
