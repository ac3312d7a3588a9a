"""A flipped byte is noticed, and costs no other batch than those it lies in."""

from pathlib import Path

from tests.crash.flip import flip_rounds
from tests.crash.kill import BASE_SEED


def test_a_flipped_byte_is_named_and_skipped(tmp_path: Path) -> None:
    flip_rounds(10, BASE_SEED, tmp_path)
