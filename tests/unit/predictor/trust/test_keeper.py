"""Trust over simulated days, of forecasts that the test makes."""

import numpy as np
import pytest

from cme.core.distrust import Cause, unpacked
from predictor.arrays import Arrays, Floats, Known
from predictor.grid import MAX, Grid, L, Q, T
from predictor.history import Bin
from predictor.trust.keeper import Trust

GRID = Grid()
DAY = GRID.day
SPREAD = np.array([0, 1.3, 1.7, 2.4], dtype=np.float32)  # of the quantiles, in units of the noise
TURN, RETURN, END = 2 * DAY, 3 * DAY + DAY // 2, 7 * DAY + DAY // 4


def tide() -> Floats:
    beats = np.arange(END + GRID.longest)
    return np.asarray(1000 + 500 * np.sin(2 * np.pi * beats / DAY), dtype=np.float32)


def noisy_tide() -> Floats:
    """With noise of 20."""
    noise = np.random.default_rng(4).normal(0, 20, END + GRID.longest)
    return np.asarray(tide() + noise, dtype=np.float32)


def broken_tide() -> Floats:
    """The noisy tide; from TURN to RETURN a random walk that jumps down when it is forecast high, and up
    when it is forecast low."""
    load = noisy_tide()
    walk = 1000 + np.random.default_rng(5).normal(0, 30, RETURN - TURN).cumsum()
    jumps = np.where(tide()[TURN:RETURN] > 1000, -600, 600)
    load[TURN:RETURN] = walk + np.where(np.arange(RETURN - TURN) // 40 % 2, jumps, 0)
    return np.maximum(load, 0)


def truths(load: Floats, beat: int) -> Floats:
    """[C, 1] of the origins one lead before."""
    found = np.empty((GRID.cells, 1), dtype=np.float32)
    for lead, beats in enumerate(GRID.lead_beats):
        found[T * lead] = load[beat]
        found[T * lead + MAX] = load[max(0, beat - beats + 1) : beat + 1].max()
    return found


def told(beat: int) -> Floats:
    """The tide ahead as quantiles [C, Q, 1]."""
    ahead = tide()
    points = np.empty(GRID.cells, dtype=np.float32)
    for lead, beats in enumerate(GRID.lead_beats):
        points[T * lead] = ahead[beat + beats]
        points[T * lead + MAX] = ahead[beat + 1 : beat + beats + 1].max() + 10
    return np.asarray(points[:, None, None] + 20 * SPREAD[:, None], dtype=np.float32)


class Life:
    """Trust in one series."""

    def __init__(self) -> None:
        self.arrays = Arrays()
        self.trust = Trust(self.arrays, GRID)
        self.arrays.grow(1)

    def live(self, load: Floats, first: int, end: int, perfect: bool = False) -> list[Floats]:
        """Causes [cell] after each beat."""
        return [self._beat(load, beat, perfect) for beat in range(first, end)]

    def learn(self, load: Floats, beat: int, known: bool = True, saturated: bool = False) -> Known:
        """Take in a beat; returns which truths may teach, [C, 1]."""
        seen = Bin(*[load[beat : beat + 1]] * 3, saturated=np.array([saturated]))
        self.trust.see(beat, seen, load[:beat].max(initial=0, keepdims=True))
        return self.trust.learn(beat, seen, truths(load, beat), np.full((GRID.cells, 1), known))

    def _beat(self, load: Floats, beat: int, perfect: bool) -> Floats:
        self.learn(load, beat, known=beat >= GRID.longest)
        served = told(beat)
        if perfect:
            ahead = [truths(load, beat + beats)[T * i : T * i + T] for i, beats in enumerate(GRID.lead_beats)]
            served = np.repeat(np.concatenate(ahead)[:, None], Q, axis=1)
        self.trust.remember(beat, load[beat : beat + 1], served)
        return np.asarray(unpacked(self.trust.distrust(), L * T)[:, 0])


@pytest.fixture(scope="module")
def life() -> Floats:
    return np.array(Life().live(broken_tide(), 0, END))


def test_a_forecast_that_holds_is_trusted(life: Floats) -> None:
    assert not life[:TURN].any()


def test_trust_is_lost_within_a_day_of_going_wrong(life: Floats) -> None:
    lost = (life[TURN:RETURN] > 0).argmax(axis=0)
    assert (lost - np.repeat(GRID.lead_beats, T) <= DAY).all()
    assert life[RETURN].all()


def test_trust_is_back_after_two_good_days_and_not_before(life: Floats) -> None:
    assert life[RETURN : RETURN + 2 * DAY].all()
    back = RETURN + 2 * DAY + DAY + DAY // 4 + GRID.longest  # the record still holds the end of the bad days
    assert not life[back:].any()


def test_it_says_why(life: Floats) -> None:
    causes = np.bitwise_or.reduce(life[TURN:RETURN].astype(np.uint8), axis=0)
    assert (causes[: T * L - T] & Cause.LOSS).all()  # of six hours a day and a half holds too few
    assert (causes & Cause.COVERAGE).all()


@pytest.mark.parametrize("at", [DAY // 2, TURN + DAY // 3, RETURN + DAY + 7])
def test_a_restart_goes_on_as_if_nothing_had_happened(at: int, life: Floats) -> None:
    first, second = Life(), Life()
    first.live(broken_tide(), 0, at)
    second.arrays.load({name: first.arrays[name].copy() for name in first.arrays})
    end = at + DAY // 2
    np.testing.assert_array_equal(second.live(broken_tide(), at, end), life[at:end])


def test_a_perfect_forecast_never_loses_trust() -> None:
    assert not np.any(Life().live(broken_tide(), 0, RETURN, perfect=True))


def test_a_lower_bound_below_the_forecast_is_no_evidence() -> None:
    """A day of half the load: a bad forecast, unless the workload was saturated."""
    load = noisy_tide()
    load[TURN : TURN + DAY] /= 2
    found = []
    for saturated in (False, True):
        life = Life()
        life.live(load, 0, TURN)
        for beat in range(TURN, TURN + DAY):
            taught = life.learn(load, beat, saturated=saturated)
            life.trust.remember(beat, load[beat : beat + 1], told(beat))
            assert not (saturated and taught[::T].any())
        found.append(int(life.trust.distrust()[0]))
    assert found[0]
    assert not found[1]


def test_what_was_not_served_is_not_compared() -> None:
    life = Life()
    for beat in range(GRID.longest, GRID.longest + DAY):
        life.learn(tide(), beat)
        life.trust.remember(beat, np.full(1, np.nan, dtype=np.float32), told(beat))
    assert not life.trust.figures().any()
