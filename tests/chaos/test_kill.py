"""Adapters that follow a log: each process killed once, under a load that is asked for without a pause."""

from collections.abc import Iterator

import pytest

from tests.chaos.faults import KILL
from tests.chaos.trial import Trial, running
from tests.chaos.wirings import followed


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with running(followed, tmp_path_factory.mktemp("followed")) as trial:
        yield trial


@pytest.mark.parametrize("process", ["up", "serve", "adapter"])
def test_a_killed_process_costs_no_sample_and_no_wrong_number(trial: Trial, process: str) -> None:
    trial.strike(KILL, process)
    assert trial.outcomes()[-1].process == process
