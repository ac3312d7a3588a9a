"""Whatever was acknowledged is there after kill -9."""

from pathlib import Path

from tests.crash import kill_up
from tests.crash.kill import BASE_SEED, kill_rounds


def test_no_acknowledged_batch_is_lost_by_a_kill(tmp_path: Path) -> None:
    kill_rounds(10, BASE_SEED, tmp_path / "log")


def test_no_batch_that_a_killed_up_had_acknowledged_is_lost(tmp_path: Path) -> None:
    kill_up.kill_rounds(10, BASE_SEED, tmp_path / "log")
