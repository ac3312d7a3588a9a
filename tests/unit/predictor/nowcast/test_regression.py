"""How the nowcast's quantiles are learnt."""

import numpy as np
import pytest

from predictor.arrays import Arrays
from predictor.grid import QUANTILES, Q
from predictor.nowcast.regression import Regression, Weights
from predictor.nowcast.sight import FEATURES, Doubles, K

RISE = FEATURES.index("back15")
ROWS_A_SOLVE = 60
ROWS = 60 * ROWS_A_SOLVE


class Pupil:
    """A regression that is solved again and again."""

    def __init__(self, series: int) -> None:
        self.arrays = Arrays()
        self.regression = Regression(self.arrays)
        self.arrays.grow(series)
        self.regression.solve()
        self._rows = 0

    @property
    def weights(self) -> Weights:
        return self.regression.weights

    def learn(self, x: Doubles, y: Doubles) -> None:
        self.regression.learn(x, y)
        self._rows += 1
        if self._rows % ROWS_A_SOLVE == 0:
            self.regression.solve()


class Worlds:
    """Series whose truth follows what they rose by, each in its own way, and noise."""

    def __init__(self, *follow: float, noise: float = 1.0) -> None:
        self.follow, self._noise, self._draws = np.array(follow), noise, np.random.default_rng(7)

    def row(self) -> tuple[Doubles, Doubles]:
        x = self._draws.normal(size=(K, len(self.follow)))
        x[0] = 1
        return x, self.follow * x[RISE] + self._noise * self._draws.normal(size=len(self.follow))

    def taught(self, rows: int = ROWS) -> Pupil:
        regression = Pupil(len(self.follow))
        for _ in range(rows):
            regression.learn(*self.row())
        return regression

    def told(self, regression: Pupil, rows: int = 2_000) -> tuple[Doubles, Doubles]:
        """[row, Q, series] and truths [row, series]"""
        seen = [self.row() for _ in range(rows)]
        return np.stack([regression.weights.tell(x) for x, _ in seen]), np.stack([y for _, y in seen])


def test_it_starts_on_the_way_to_what_the_engine_expects() -> None:
    regression = Pupil(1)
    x = np.zeros((K, 1))
    x[0] = 1
    for q, quantile in enumerate(QUANTILES):
        x[FEATURES.index(f"expected{quantile * 100:.0f}")] = q + 1.0
    np.testing.assert_allclose(regression.weights.tell(x)[:, 0], 0.63 * np.arange(1, Q + 1))


def test_quantiles_are_exceeded_as_often_as_they_promise() -> None:
    worlds = Worlds(0.5, 0.5, 0.5)
    told, truths = worlds.told(worlds.taught())
    covered = (truths[:, None] <= told).mean(axis=(0, 2))
    np.testing.assert_allclose(covered, QUANTILES, atol=0.02)


def test_what_all_series_do_is_learnt_from_all() -> None:
    """One of them has told nothing yet."""
    worlds, regression = Worlds(*[0.8] * 6), Pupil(6)
    for _ in range(5 * ROWS_A_SOLVE):
        x, y = worlds.row()
        y[0] = np.nan
        regression.learn(x, y)
    rise = np.zeros((K, 6))
    rise[RISE] = 1
    moved = (regression.weights.tell(rise) - regression.weights.tell(0 * rise))[0]
    assert moved[0] == pytest.approx(0.8, abs=0.15)


def test_what_a_series_does_alone_is_learnt_of_it_alone() -> None:
    regression = Worlds(*[0.0] * 9, 1.0, noise=0.3).taught()
    rise = np.zeros((K, 10))
    rise[RISE] = 1
    moved = (regression.weights.tell(rise) - regression.weights.tell(0 * rise))[0]
    assert moved[-1] > 0.6
    assert (np.abs(moved[:-1]) < 0.15).all()


def test_quantiles_are_in_order() -> None:
    worlds = Worlds(0.2, 2.0)
    told, _ = worlds.told(worlds.taught(10 * ROWS_A_SOLVE))
    assert (np.diff(told, axis=1) >= 0).all()


def test_rows_that_lack_something_teach_nothing() -> None:
    worlds = Worlds(0.5, 0.5)
    pupil = worlds.taught(ROWS_A_SOLVE)
    before = pupil.weights
    for _ in range(ROWS_A_SOLVE):
        x, y = worlds.row()
        x[3] = np.nan
        pupil.learn(x, y)
    np.testing.assert_allclose(before.shared, pupil.weights.shared)
    np.testing.assert_allclose(before.own, pupil.weights.own, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(before.shift, pupil.weights.shift)


def test_a_glitch_decides_nothing() -> None:
    """Neither one in what came, nor one in what was seen."""
    worlds, others = Worlds(0.5, 0.5), Worlds(0.5, 0.5)
    pupil, twin = worlds.taught(10 * ROWS_A_SOLVE), others.taught(10 * ROWS_A_SOLVE)
    for glitched in ("x", "y"):
        x, y = worlds.row()
        pupil.learn(*((1e25 * x, y) if glitched == "x" else (x, 1e25 * y)))
        twin.learn(*others.row())
    for _ in range(5 * ROWS_A_SOLVE):
        pupil.learn(*worlds.row())
        twin.learn(*others.row())
    told, truths = worlds.told(pupil)
    usual, same = others.told(twin)
    np.testing.assert_array_equal(truths, same)
    assert _loss(told, truths) < 1.05 * _loss(usual, truths)


def _loss(told: Doubles, truths: Doubles) -> float:
    """Pinball, of all quantiles."""
    above, level = truths[:, None] - told, np.array(QUANTILES)[:, None]
    return float(np.maximum(level * above, (level - 1) * above).mean())


def test_new_series_begin_with_what_all_do_and_change_no_other() -> None:
    pupil = Worlds(0.5, 0.9).taught(5 * ROWS_A_SOLVE)
    before = pupil.weights
    pupil.arrays.grow(1)
    pupil.regression.solve()
    np.testing.assert_allclose(pupil.weights.own[..., :2], before.own)
    assert (pupil.weights.own[..., 2] == 0).all()


def test_what_all_learnt_outlives_a_restart() -> None:
    worlds = Worlds(0.5, 0.9)
    one, other = worlds.taught(2 * ROWS_A_SOLVE), Pupil(2)
    other.regression.load(one.regression.save())
    other.regression.solve()
    np.testing.assert_array_equal(one.weights.shared, other.weights.shared)


def test_what_does_not_fit_is_not_taken_over() -> None:
    regression = Pupil(1).regression
    saved = regression.save()
    with pytest.raises(ValueError, match="no fitting shared_x"):
        regression.load({one: array for one, array in saved.items() if one != "shared_x"})
