"""How an advice is told."""

import numpy as np

from adapter.cli.advise import told
from adapter.replay.advice import Advice
from adapter.replay.lineup import with_quantile
from adapter.replay.outcome import Outcome
from adapter.replay.tide import Tide
from tests.unit.adapter.replay.past import policy

BEFORE = Outcome(24.0, 50, 1000.0, 600.0, 0.001, 0.6, 19.0, 0.1, 3.0, 0.1, 10, 2)
AFTER = Outcome(24.0, 50, 800.0, 600.0, 0.002, 0.3, 22.0, 0.2, 4.0, 0.2, 12, 3)


def tide() -> Tide:
    low = np.array([hour < 8 or hour >= 20 for hour in range(24)])
    needs = np.where(low, 6.0, 250.0)
    return Tide("UTC", 0.95, 14, needs, needs, needs)


def test_it_tells_both_outcomes_the_difference_and_what_is_free() -> None:
    found = Advice(policy(), with_quantile(policy(), 0.9), BEFORE, AFTER, tide())
    lines = list(told(found, price=0.5, cores=10))
    assert lines[1].startswith(
        "today:    1,000 replica-hours, cost 500.00, short of 0.100 % of the demand in 19 minutes"
    )
    assert lines[2].startswith("proposed: 800 replica-hours, cost 400.00, short of 0.200 %")
    assert "+    quantile: 0.9" in lines
    assert "03:00      60      60   2,440" in lines
    assert lines[-1].startswith('off-peak: start "0 20 * * *", duration 12h, timeZone UTC: 2,440 cores')


def test_it_says_what_it_does_not_know() -> None:
    lines = list(told(Advice(policy(), policy(), BEFORE, BEFORE, None), price=1, cores=1))
    assert "nothing better was found" in lines
    assert lines[-1] == "its tide: not enough whole days are known"
