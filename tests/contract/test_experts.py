"""Laws of every registered expert, held in the block where it works: they fill in one another's features."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from predictor.arrays import Floats
from predictor.block import Block
from predictor.experts.registry import REGISTRY
from predictor.features import Moment
from predictor.grid import Grid, Q
from predictor.history import Bin
from predictor.pool import Pool

HOURLY = Grid(3_600_000)
"""The same code on fewer beats, so that the laws see weeks within seconds."""
DAYS = 9
NAMES = tuple(REGISTRY)


class Watched(Block):
    """A block that keeps what its experts said last."""

    def _serve(self, moment: Moment, made: list[tuple[Floats, Floats]], keep: bool) -> Floats:
        self.said = {name: quantiles.copy() for name, (quantiles, _) in zip(REGISTRY, made, strict=True)}
        return super()._serve(moment, made, keep)


def tide(series: int, days: int = DAYS, seed: int = 3) -> Floats:
    """[beat, series]: days of another height each, with noise."""
    random, beats = np.random.default_rng(seed), days * HOURLY.day
    angle = 2 * np.pi * np.arange(beats)[:, None] / HOURLY.day
    noise = 1 + 0.1 * random.random((beats, series))
    return ((100 + 60 * np.sin(angle + np.arange(series))) * noise).astype(np.float32)


def seen(loads: Floats) -> Bin:
    return Bin(loads, loads, loads * np.float32(1.1))


def taught(loads: Floats, pool: Pool | None = None) -> Watched:
    """A block that has lived through `loads` [beat, series]."""
    block = Watched(HOURLY, pool or Pool())
    block.arrays.grow(loads.shape[1])
    nobody: Any = np.array([], dtype=np.intp)
    for beat, load in enumerate(loads):
        block.step(beat, seen(load), nobody, 0)
    return block


# Blocks are the same for all experts, so each past is lived through once.


@cache
def as_ever() -> Watched:
    return taught(tide(3))


@cache
def alone() -> Watched:
    return taught(tide(3)[:, :1])


@cache
def scaled() -> Watched:
    return taught(tide(3) * np.float32(1000))


@cache
def again() -> Watched:
    return taught(tide(3))


@cache
def after_a_look(between_beats: bool) -> Watched:
    loads = tide(2, days=4)
    block = taught(loads[:-1])
    if between_beats:
        block.forecast(len(loads) - 2, loads[-1] * 9, loads[-1] * 9)
    nobody: Any = np.array([], dtype=np.intp)
    block.step(len(loads) - 1, seen(loads[-1]), nobody, 0)
    return block


@cache
def with_a_gap() -> Watched:
    loads = tide(2)
    loads[3 * HOURLY.day : 4 * HOURLY.day, 0] = np.nan
    return taught(loads)


@cache
def without_load() -> Watched:
    return taught(np.zeros((5 * HOURLY.day, 1), dtype=np.float32))


@pytest.mark.parametrize("name", NAMES)
class TestLaws:
    def test_quantiles_have_the_shape_of_the_grid_and_are_finite(self, name: str) -> None:
        assert as_ever().said[name].shape == (HOURLY.cells, Q, 3)
        assert np.isfinite(as_ever().said[name]).all()

    def test_a_series_knows_nothing_of_its_neighbors_but_through_the_pool(self, name: str) -> None:
        np.testing.assert_allclose(as_ever().said[name][..., :1], alone().said[name], rtol=2e-3)

    def test_scaled_loads_scale_the_quantiles(self, name: str) -> None:
        np.testing.assert_allclose(scaled().said[name], as_ever().said[name], rtol=2e-3, atol=1e-4)

    def test_the_same_past_says_the_same_to_the_last_bit(self, name: str) -> None:
        np.testing.assert_array_equal(again().said[name], as_ever().said[name])

    def test_to_be_asked_between_beats_changes_nothing(self, name: str) -> None:
        np.testing.assert_array_equal(after_a_look(True).said[name], after_a_look(False).said[name])

    def test_a_gap_does_no_harm(self, name: str) -> None:
        assert np.isfinite(with_a_gap().said[name]).all()

    def test_a_series_without_load_is_forecast_to_have_next_to_none(self, name: str) -> None:
        said = without_load().said[name]
        assert np.isfinite(said).all()
        assert np.abs(said).max() < 1e-3
