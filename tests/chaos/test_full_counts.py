"""All faults on all wirings."""

from pathlib import Path

import pytest

from tests.chaos.runs import RUNS, Run
from tests.chaos.trial import outcomes_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name.replace(", ", "-").replace(" ", "-"))
def test_a_fault_costs_no_sample_and_no_wrong_number(run: Run, tmp_path: Path) -> None:
    outcomes = outcomes_of(run.assembly, tmp_path, run.strikes)
    assert [outcome.process for outcome in outcomes] == [process for _, process in run.strikes]
