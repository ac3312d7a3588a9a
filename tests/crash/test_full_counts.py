"""The full counts of kills and flips, in slices of a few minutes."""

from pathlib import Path

import pytest

from tests.crash import kill, kill_up
from tests.crash.flip import flip_rounds
from tests.crash.kill import BASE_SEED

KILLS, KILLS_A_SLICE = 200, 50
FLIPS = 50

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("first", range(0, KILLS, KILLS_A_SLICE))
def test_200_kills_of_up_lose_nothing(first: int, tmp_path: Path) -> None:
    kill_up.kill_rounds(KILLS_A_SLICE, BASE_SEED, tmp_path / "log", first)


@pytest.mark.parametrize("first", range(0, KILLS, KILLS_A_SLICE))
def test_200_kills_of_a_writer_lose_nothing(first: int, tmp_path: Path) -> None:
    kill.kill_rounds(KILLS_A_SLICE, BASE_SEED, tmp_path / "log", first)


def test_50_flipped_bytes_are_each_detected(tmp_path: Path) -> None:
    flip_rounds(FLIPS, BASE_SEED, tmp_path)
