"""Laws of every registered expert."""

import numpy as np
import pytest

from predictor.arrays import Arrays, Floats
from predictor.experts import REGISTRY
from predictor.experts.protocol import Expert, Observation
from predictor.grid import BEATS_PER_DAY, L, T

DAYS = 3


def tide(beats: int, series: int) -> Floats:
    angle = 2 * np.pi * np.arange(beats)[:, None] / BEATS_PER_DAY
    return (30 + 20 * np.sin(angle + np.arange(series))).astype(np.float32)


def teach(expert: Expert, z: Floats) -> Floats:
    """Points after learning all of `z` [beat, series]; truths as if the load never changed within a lead."""
    for beat, value in enumerate(z):
        seen = Observation(beat, value, value)
        expert.learn(seen, np.broadcast_to(value, (T, L, z.shape[1])).astype(np.float32))
    return expert.points(seen)


def fresh(kind: type[Expert], series: int) -> Expert:
    arrays = Arrays()
    expert = kind(arrays)
    arrays.grow(series)
    return expert


@pytest.mark.parametrize("kind", REGISTRY)
class TestLaws:
    def test_points_have_the_shape_of_the_grid(self, kind: type[Expert]) -> None:
        points = teach(fresh(kind, 4), tide(10, 4))
        assert points.shape == (T, L, 4)
        assert points.dtype == np.float32

    def test_scaled_loads_scale_the_points(self, kind: type[Expert]) -> None:
        z = tide(DAYS * BEATS_PER_DAY, 2)
        np.testing.assert_allclose(teach(fresh(kind, 2), z * 16), teach(fresh(kind, 2), z) * 16, rtol=1e-4)

    def test_a_series_knows_nothing_of_its_neighbors(self, kind: type[Expert]) -> None:
        z = tide(DAYS * BEATS_PER_DAY, 3)
        alone = teach(fresh(kind, 1), z[:, 1:2])
        np.testing.assert_array_equal(teach(fresh(kind, 3), z)[:, :, 1:2], alone)

    def test_a_gap_gives_no_point_and_no_harm(self, kind: type[Expert]) -> None:
        z = tide(DAYS * BEATS_PER_DAY, 2)
        z[-50:-1, 0] = np.nan
        gap = z.copy()
        gap[-1, 0] = np.nan
        assert np.isnan(teach(fresh(kind, 2), gap)[:, :, 0]).all()
        assert np.isfinite(teach(fresh(kind, 2), z)).all()

    def test_points_change_nothing(self, kind: type[Expert]) -> None:
        expert, z = fresh(kind, 2), tide(DAYS * BEATS_PER_DAY, 2)
        first = teach(expert, z)
        seen = Observation(len(z) - 1, z[-1], z[-1])
        expert.points(Observation(len(z) - 1, z[-1] * 9, z[-1] * 9))
        np.testing.assert_array_equal(expert.points(seen), first)
