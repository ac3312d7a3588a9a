"""Seasonal statistics against all that was ever seen."""

import numpy as np
import pytest
from numpy.typing import NDArray

from predictor import seasons as season
from predictor.arrays import Arrays, Floats
from predictor.calendar import PLAIN, Calendars
from predictor.grid import Grid
from predictor.history import Bin, History
from predictor.seasons import Seasons

LEVEL = np.float32(-1)


def lived(grid: Grid, loads: Floats, since: NDArray[np.float64]) -> Seasons:
    """Seasons that saw `loads` [beat, series], each series from a beat of its own on."""
    arrays = Arrays()
    history = History(arrays, grid)
    calendars = Calendars(grid)
    calendars.assign([PLAIN] * loads.shape[1], 0)
    seasons = Seasons(arrays, grid, history, calendars)
    arrays.grow(loads.shape[1])
    for beat, load in enumerate(loads):
        history.push(beat, Bin(load, load, load), beat >= since)
        seasons.learn(beat)
    return seasons


def random_loads(grid: Grid, days: int, series: int = 3) -> Floats:
    return np.random.default_rng(5).lognormal(0, 1, (days * grid.day, series)).astype(np.float32)


@pytest.mark.parametrize("beat_ms", [300_000, 1_800_000, 3_600_000])
def test_windows_ahead_are_those_of_the_days_before(beat_ms: int) -> None:
    grid = Grid(beat_ms)
    loads = random_loads(grid, 9)
    found = lived(grid, loads, np.zeros(3)).ahead(len(loads) - 1, LEVEL * np.ones(3, dtype=np.float32))
    for lead, beats in enumerate(grid.lead_beats):
        starts = [len(loads) - day * grid.day for day in range(1, 8)]
        windows = np.array([loads[start : start + beats].max(axis=0) for start in starts])
        np.testing.assert_allclose(found[lead, season.DAY], np.median(windows, axis=0), rtol=1e-3)
        np.testing.assert_allclose(found[lead, season.HIGHEST], windows.max(axis=0), rtol=1e-3)
        np.testing.assert_allclose(found[lead, season.LAST_WEEK], windows[6], rtol=1e-3)


def test_series_of_different_ages_see_what_they_would_alone() -> None:
    grid = Grid(1_800_000)
    loads = random_loads(grid, 16)
    since = np.array([0, 5.5, 13.2]) * grid.day
    moments = len(loads) - 1 + np.array(grid.lead_beats)
    level = np.ones(3, dtype=np.float32)
    together = lived(grid, loads, since)
    for i in range(3):
        alone = lived(grid, loads[:, i : i + 1], since[i : i + 1])
        for name, args in (("at", moments), ("ahead", len(loads) - 1)):
            ours, theirs = getattr(together, name)(args, level), getattr(alone, name)(args, level[:1])
            kept = [s for s in range(season.STATISTICS) if name == "at" or "PEAK" not in _name(s)]
            np.testing.assert_array_equal(ours[:, kept, i], theirs[:, kept, 0])


def test_without_a_day_behind_it_a_series_has_its_level() -> None:
    grid = Grid(3_600_000)
    found = lived(grid, random_loads(grid, 1)[:12], np.zeros(3)).ahead(11, np.full(3, 7, dtype=np.float32))
    assert (found[:, season.DAY] == 7).all()
    assert (found[:, season.SPREAD] == 0).all()


def _name(statistic: int) -> str:
    return next(name for name, value in vars(season).items() if name.isupper() and value == statistic)
