"""Laws of level shifts and gaps, told by one engine in which a tide lives many lives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats
from predictor.engine import Engine
from predictor.grid import AT, Grid
from predictor.history import Bin
from predictor.shift import Detector

GRID = Grid(1_800_000)
DAY, HOUR = GRID.day, GRID.hour
EVENT, END = 10 * DAY, 19 * DAY
MEDIAN, Q95 = 0, 2


def tide() -> Floats:
    beats = np.arange(END)
    noise = np.random.default_rng(4).normal(1, 0.05, END)
    return np.asarray(100 * (1 + 0.6 * np.sin(2 * np.pi * beats / DAY)) * noise, dtype=np.float32)


def lived(stop: int, factor: float) -> Floats:
    """The tide times `factor` from the event up to `stop`."""
    load = tide()
    load[EVENT:stop] *= np.float32(factor)
    return load


LIVES = {
    "quiet": tide(),
    "up": lived(END, 3),
    "down": lived(END, 1 / 3),
    "spike": lived(EVENT + 1, 10),
    "day of NaN": lived(EVENT + DAY, np.nan),
    "week of NaN": lived(EVENT + 7 * DAY, np.nan),
    "up and back": lived(EVENT + DAY, 3),
}
LEVELS = {"up": 3, "down": 1 / 3}


class Lived:
    """Forecasts [beat, T, L, Q] and when a shift was seen [beat], by the name of the life."""

    def __init__(self) -> None:
        engine = Engine(GRID)
        engine.rows(range(len(LIVES)))
        loads = np.array(list(LIVES.values())).T
        made = [engine.step(beat, Bin(x, x, x)) for beat, x in enumerate(loads)]
        self.values = {n: np.array([m.values[..., i] for m in made]) for i, n in enumerate(LIVES)}
        self.shifted = {n: np.array([m.shifted_ms[i] for m in made]) for i, n in enumerate(LIVES)}

    def error(self, name: str, first: int, stop: int, lead: int = -1) -> float:
        """Mean distance of the median from what came, as a share of it."""
        beats = np.arange(first, stop)
        truth = LIVES[name][beats + GRID.lead_beats[lead]]
        return float(np.nanmean(np.abs(self.values[name][first:stop, AT, lead, MEDIAN] - truth) / truth))


@pytest.fixture(scope="module")
def world() -> Lived:
    return Lived()


@pytest.mark.parametrize("name", ["up", "down", "up and back"])
def test_a_shift_is_seen_within_hours_and_dated_to_its_beginning(name: str, world: Lived) -> None:
    seen = world.shifted[name]
    assert not seen[:EVENT].any()
    first = int(np.flatnonzero(seen)[0])
    assert EVENT < first <= EVENT + 6 * HOUR
    assert abs(seen[first] / GRID.beat_ms - EVENT) <= HOUR


@pytest.mark.parametrize("name", ["quiet", "spike", "day of NaN", "week of NaN"])
def test_what_is_no_shift_is_not_taken_for_one(name: str, world: Lived) -> None:
    assert not world.shifted[name].any()


@pytest.mark.parametrize("name", ["up", "down"])
def test_the_day_keeps_its_shape_at_the_new_level_within_hours(name: str, world: Lived) -> None:
    quiet = world.error("quiet", EVENT + 12 * HOUR, EVENT + 36 * HOUR)
    assert world.error(name, EVENT + 12 * HOUR, EVENT + 36 * HOUR) < 1.6 * quiet + 0.02


def test_a_level_that_returns_is_followed_back(world: Lived) -> None:
    back = EVENT + DAY + 12 * HOUR
    assert world.error("up and back", back, back + DAY) < 1.6 * world.error("quiet", back, back + DAY) + 0.02


def hourly(load: Floats) -> tuple[Floats, bool]:
    """What an engine of its own forecasts of every other beat, and whether it saw a shift."""
    engine = Engine(Grid(3_600_000))
    engine.rows([0])
    made = [engine.step(beat, Bin(x, x, x)) for beat, x in enumerate(load[::HOUR, None])]
    return np.array([m.values for m in made]), bool(made[-1].shifted_ms[0])


def test_shifts_are_free_of_units() -> None:
    load = lived(END, 3)[: EVENT + 2 * DAY]
    (one, seen), (other, also_seen) = hourly(load), hourly(load * np.float32(1024))
    np.testing.assert_allclose(other / 1024, one, rtol=1e-4)
    assert seen
    assert also_seen


@pytest.mark.parametrize(("name", "days"), [("day of NaN", 1), ("week of NaN", 7)])
def test_after_a_gap_the_day_is_known_as_before(name: str, days: int, world: Lived) -> None:
    resumed = EVENT + days * DAY + 2 * HOUR
    quiet = world.error("quiet", resumed, resumed + DAY)
    assert world.error(name, resumed, resumed + DAY) < 1.3 * quiet + 0.01


def test_the_upper_quantile_still_covers_after_a_shift(world: Lived) -> None:
    beats = np.arange(EVENT + 12 * HOUR, EVENT + 5 * DAY)
    for name in LEVELS:
        truth = LIVES[name][beats + GRID.lead_beats[-1]]
        assert (truth <= world.values[name][beats, AT, -1, Q95]).mean() > 0.88


def alarms(levels: NDArray[np.float64]) -> list[int]:
    """Beats on which a detector that expects 1 finds a shift."""
    arrays = Arrays()
    detector = Detector(arrays, GRID)
    arrays.grow(1)
    found = []
    usual, known = np.ones(1, np.float32), np.ones(1, bool)
    for beat, level in enumerate(levels):
        at = np.array([level], np.float32)
        if len(detector.learn(beat, at, usual, usual, known).series):
            found.append(beat)
    return found


@given(st.integers(0, 2**31), st.floats(0.1, 20), st.integers(1, 2))
@settings(max_examples=20, deadline=None)
def test_two_beats_of_any_height_are_no_shift(seed: int, height: float, beats: int) -> None:
    levels = np.random.default_rng(seed).normal(1, 0.1, 9 * DAY)
    levels[8 * DAY : 8 * DAY + beats] = height
    assert not alarms(levels)


@given(st.integers(0, 2**31), st.sampled_from([0.4, 0.6, 1.6, 2.5]))
@settings(max_examples=20, deadline=None)
def test_a_lasting_ratio_is_a_shift(seed: int, ratio: float) -> None:
    levels = np.random.default_rng(seed).normal(1, 0.05, 9 * DAY)
    levels[8 * DAY :] *= ratio
    (first, *_) = alarms(levels)
    assert 8 * DAY < first <= 8 * DAY + 12 * HOUR
