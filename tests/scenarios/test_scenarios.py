"""Every *.scenario beside this file: what the product does, as `tidecast test` plays it."""

from pathlib import Path

import pytest

from adapter.replay.scenario.build import read_scenario
from adapter.replay.scenario.judge import failures
from adapter.replay.scenario.play import play
from adapter.replay.scenario.report import told

FILES = sorted(Path(__file__).parent.glob("*.scenario"))
LONG = {"hold", "offpeak"}
"""The engine learns several days of several signals for them."""


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=file.stem, marks=[pytest.mark.slow] if file.stem in LONG else [])
        for file in FILES
    ],
)
def test_everything_is_as_expected(file: Path) -> None:
    scenario = read_scenario(file)
    found = failures(scenario, play(scenario))
    assert not found, "\n".join(line for failure in found for line in told(failure, scenario.zone))


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 10
