"""Laws of every registered expert, held in the block where it works: they fill in one another's features."""

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


def taught(name: str, history: Floats) -> Watched:
    """A block with an expert of that name that has lived through loads [beat, series]."""
    block = Watched(PRESET_OF[name])
    block.arrays.grow(history.shape[1])
    nobody: Any = np.array([], dtype=np.intp)
    for beat, load in enumerate(history):
        block.step(beat, seen(load), nobody, 0)
    return block


@pytest.fixture(scope="module")
def blocks() -> dict[Preset, Watched]:
    return {PRESET_OF[name]: taught(name, tide(3)) for name in ("last", "shared_ridge")}


@pytest.fixture
def block(name: str, blocks: dict[Preset, Watched]) -> Watched:
    return blocks[PRESET_OF[name]]


def test_every_expert_is_in_a_preset() -> None:
    assert set(REGISTRY) == set(PRESET_OF)


@pytest.mark.parametrize("name", PRESET_OF)
class TestLaws:
    def test_quantiles_have_the_shape_of_the_grid_and_are_finite(self, name: str, block: Watched) -> None:
        assert block.said[name].shape == (HOURLY.cells, Q, 3)
        assert np.isfinite(block.said[name]).all()

    def test_a_series_knows_nothing_of_its_neighbors_but_through_the_pool(
        self, name: str, block: Watched
    ) -> None:
        alone = taught(name, tide(3)[:, 1:2])
        np.testing.assert_allclose(block.said[name][..., 1:2], alone.said[name], rtol=2e-3)

    def test_scaled_loads_scale_the_quantiles(self, name: str, block: Watched) -> None:
        scaled = taught(name, tide(3) * np.float32(1000))
        np.testing.assert_allclose(scaled.said[name], block.said[name], rtol=2e-3, atol=1e-4)

    def test_the_future_changes_nothing(self, name: str) -> None:
        loads = tide(2, days=5)
        other = loads.copy()
        other[4 * HOURLY.day :] *= 50
        cut = 4 * HOURLY.day
        np.testing.assert_array_equal(
            taught(name, loads[:cut]).said[name], taught(name, other[:cut]).said[name]
        )

    def test_the_same_past_says_the_same_to_the_last_bit(self, name: str, block: Watched) -> None:
        np.testing.assert_array_equal(taught(name, tide(3)).said[name], block.said[name])

    def test_to_be_asked_between_beats_changes_nothing(self, name: str) -> None:
        loads = tide(2, days=4)
        asked, left = taught(name, loads[:-1]), taught(name, loads[:-1])
        asked.forecast(len(loads) - 2, loads[-1] * 9, loads[-1] * 9)
        nobody: Any = np.array([], dtype=np.intp)
        for one in (asked, left):
            one.step(len(loads) - 1, seen(loads[-1]), nobody, 0)
        np.testing.assert_array_equal(asked.said[name], left.said[name])

    def test_a_gap_does_no_harm(self, name: str) -> None:
        loads = tide(2)
        loads[3 * HOURLY.day : 4 * HOURLY.day, 0] = np.nan
        said = taught(name, loads).said[name]
        assert np.isfinite(said).all()

    def test_a_series_without_load_is_forecast_to_have_next_to_none(self, name: str) -> None:
        said = taught(name, np.zeros((5 * HOURLY.day, 1), dtype=np.float32)).said[name]
        assert np.isfinite(said).all()
        assert np.abs(said).max() < 1e-3
