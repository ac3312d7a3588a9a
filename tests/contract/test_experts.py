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
from predictor.presets import BEST, FAST, Preset

HOURLY = Grid(3_600_000)
"""The same code on fewer beats, so that the laws see weeks within seconds."""
DAYS = 9
PRESET_OF = {name: preset for preset in (FAST, BEST) for name in preset.experts}
"""Each expert is watched at work in a preset that has it."""


class Watched(Block):
    """A block that keeps what its experts said last."""

    def __init__(self, preset: Preset) -> None:
        super().__init__(HOURLY, Pool(), preset)
        self._names = preset.experts

    def _serve(self, moment: Moment, made: list[tuple[Floats, Floats]], keep: bool) -> Floats:
        self.said = {name: quantiles.copy() for name, (quantiles, _) in zip(self._names, made, strict=True)}
        return super()._serve(moment, made, keep)


def tide(series: int, days: int = DAYS, seed: int = 3) -> Floats:
    """[beat, series]: days of another height each, with noise."""
    random, beats = np.random.default_rng(seed), days * HOURLY.day
    angle = 2 * np.pi * np.arange(beats)[:, None] / HOURLY.day
    noise = 1 + 0.1 * random.random((beats, series))
    return ((100 + 60 * np.sin(angle + np.arange(series))) * noise).astype(np.float32)


def seen(loads: Floats) -> Bin:
    return Bin(loads, loads, loads * np.float32(1.1))


def taught(preset: Preset, history: Floats) -> Watched:
    """A block of a preset that has lived through loads [beat, series]."""
    block = Watched(preset)
    block.arrays.grow(history.shape[1])
    nobody: Any = np.array([], dtype=np.intp)
    for beat, load in enumerate(history):
        block.step(beat, seen(load), nobody, 0)
    return block


# Blocks are the same for all experts of a preset, so each past is lived through once for each.


@cache
def as_ever(preset: Preset) -> Watched:
    return taught(preset, tide(3))


@cache
def alone(preset: Preset) -> Watched:
    return taught(preset, tide(3)[:, :1])


@cache
def scaled(preset: Preset) -> Watched:
    return taught(preset, tide(3) * np.float32(1000))


@cache
def again(preset: Preset) -> Watched:
    return taught(preset, tide(3))


@cache
def after_a_look(preset: Preset, between_beats: bool) -> Watched:
    loads = tide(2, days=4)
    block = taught(preset, loads[:-1])
    if between_beats:
        block.forecast(len(loads) - 2, loads[-1] * 9, loads[-1] * 9)
    nobody: Any = np.array([], dtype=np.intp)
    block.step(len(loads) - 1, seen(loads[-1]), nobody, 0)
    return block


@cache
def with_a_gap(preset: Preset) -> Watched:
    loads = tide(2)
    loads[3 * HOURLY.day : 4 * HOURLY.day, 0] = np.nan
    return taught(preset, loads)


@cache
def without_load(preset: Preset) -> Watched:
    return taught(preset, np.zeros((5 * HOURLY.day, 1), dtype=np.float32))


def test_every_expert_is_in_a_preset() -> None:
    assert set(REGISTRY) == set(PRESET_OF)


@pytest.mark.parametrize(("name", "preset"), PRESET_OF.items())
class TestLaws:
    def test_quantiles_have_the_shape_of_the_grid_and_are_finite(self, name: str, preset: Preset) -> None:
        assert as_ever(preset).said[name].shape == (HOURLY.cells, Q, 3)
        assert np.isfinite(as_ever(preset).said[name]).all()

    def test_a_series_knows_nothing_of_its_neighbors_but_through_the_pool(
        self, name: str, preset: Preset
    ) -> None:
        np.testing.assert_allclose(as_ever(preset).said[name][..., :1], alone(preset).said[name], rtol=2e-3)

    def test_scaled_loads_scale_the_quantiles(self, name: str, preset: Preset) -> None:
        np.testing.assert_allclose(
            scaled(preset).said[name], as_ever(preset).said[name], rtol=2e-3, atol=1e-4
        )

    def test_the_same_past_says_the_same_to_the_last_bit(self, name: str, preset: Preset) -> None:
        np.testing.assert_array_equal(again(preset).said[name], as_ever(preset).said[name])

    def test_to_be_asked_between_beats_changes_nothing(self, name: str, preset: Preset) -> None:
        np.testing.assert_array_equal(
            after_a_look(preset, True).said[name], after_a_look(preset, False).said[name]
        )

    def test_a_gap_does_no_harm(self, name: str, preset: Preset) -> None:
        assert np.isfinite(with_a_gap(preset).said[name]).all()

    def test_a_series_without_load_is_forecast_to_have_next_to_none(self, name: str, preset: Preset) -> None:
        said = without_load(preset).said[name]
        assert np.isfinite(said).all()
        assert np.abs(said).max() < 1e-3
