"""`tidecast decompose` on a log that `tidecast up` is writing."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.program import Program, command


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("decompose"), "--demo") as program:
        yield program


def decompose(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return command("decompose", *arguments, "--data", str(data))


def test_a_tide_is_told_as_a_strong_day(demo: Program) -> None:
    done = decompose(demo.data, "demo/web", "cores", "--json")
    parts = json.loads(done.stdout)
    assert parts["strengths"]["day"] > 0.9
    assert len(parts["trend"]) == len(parts["ends_ms"]) == 28 * 24


def test_people_get_a_table(demo: Program) -> None:
    done = decompose(demo.data, "demo/web", "cores")
    assert done.returncode == 0
    assert "strength of the day" in done.stdout


def test_a_signal_that_is_not_there_is_refused_with_those_that_are(demo: Program) -> None:
    done = decompose(demo.data, "demo/web", "qps")
    assert done.returncode == 2
    assert "demo/web qps: it is not in the log; the log has: default/tidecast bandwidth_in" in done.stderr
