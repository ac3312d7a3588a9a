"""What is proposed is no worse where it is searched, and is told as it is where it was not."""

import numpy as np
import pytest

from adapter.hpa.controller import Controller
from adapter.replay.advice import FLOOR, Scene, advise
from adapter.replay.cluster import Site, Startup
from adapter.replay.lineup import changed, with_quantile
from adapter.replay.past import Past
from cme.core.policy import ScalingPolicy
from tests.unit.adapter.replay.past import MINUTE, START, past, policy

DAY = 1440


def scene(known: Past, days: int) -> Scene:
    middle = START + days // 2 * DAY * MINUTE
    return Scene(known, Site(Startup(MINUTE)), Controller("1.36"), START, middle, START + days * DAY * MINUTE)


@pytest.fixture(scope="module")
def known() -> Past:
    minutes = np.arange(6 * DAY)
    low = (minutes % DAY < 8 * 60) | (minutes % DAY >= 22 * 60)
    return past((np.where(low, 100.0, 4000.0) * (1 + 0.05 * np.sin(minutes))).tolist(), ahead=1.0)


def wasteful() -> ScalingPolicy:
    """With half of what a replica could carry, and a long window."""
    return policy(scaleDown={"window": "20m"}, forecast={"lead": "2m", "cost": {"short": 99, "over": 1}})


@pytest.mark.slow
def test_it_is_cheaper_and_no_shorter_and_says_what_changes(known: Past) -> None:
    found = advise(wasteful(), scene(known, 6), bearable=0.02, confidence=0.95)
    assert found.after.replica_hours < found.before.replica_hours
    assert found.after.short < 0.03
    assert found.proposed.spec.scale_down.window < found.today.spec.scale_down.window
    assert found.tide is not None
    assert found.tide.off_peak is not None
    (floor,) = found.proposed.spec.schedules  # what every day needs by day
    assert floor.name == FLOOR
    assert 30 <= (floor.min_replicas or 0) <= 38


def test_a_quantile_stands_for_what_gave_it_before() -> None:
    made = with_quantile(wasteful(), 0.9)
    assert made.spec.forecast.covered == 0.9
    assert made.spec.forecast.cost is None
    assert made.spec.forecast.lead == 120_000
    assert changed(made, scaleDown={"window": "1m"}).spec.forecast == made.spec.forecast
