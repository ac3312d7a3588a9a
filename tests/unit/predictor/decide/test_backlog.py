"""The replicas that empty a backlog in time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cme.core.distrust import Cause
from cme.core.reasons import Reason
from tests.unit.predictor.decide.story import MINUTE, NAN, NOW, Story

WITHIN_S = 600
SIGNALS = [
    {
        "name": "queue_backlog",
        "source": {"x": {}},
        "perReplica": 40,
        "drain": {"within": "10m", "arrivals": "jobs"},
    },
    {"name": "jobs", "source": {"x": {}}, "perReplica": 5},
]
NO_FORECAST = Reason.FORECAST_MISSING | Reason.RAW


def story(**spec: Any) -> Story:
    at_once = {"scaleDown": {"window": "0s", "maxDecrease": "100%/1m"}}
    return Story(signals=SIGNALS, **at_once | spec)


def learnt(drain: float) -> dict[str, list[float]]:
    return {"drain": [drain, NAN]}


def test_backlog_and_arrivals_over_drain() -> None:
    result = story().tick(NOW, [6_000.0, 8.0], **learnt(4.5))
    assert result.need[0] == pytest.approx((6_000 / WITHIN_S + 8) / 4.5 * 40)
    assert result.replicas[0] == 4.0
    assert result.reasons.tolist() == [Reason.BACKLOG, NO_FORECAST]


def test_the_forecast_of_the_arrivals_counts_and_that_of_the_backlog_does_not() -> None:
    doubts = {"causes": int(Cause.NONE), "uncalibrated": True}
    result = story().tick(NOW, [6_000.0, 8.0], [9e9, 35.0], **learnt(5.0), **doubts, again=[9e9, NAN])
    assert result.need[0] == pytest.approx((6_000 / WITHIN_S + 35) / 5 * 40)
    assert result.reasons.tolist() == [Reason.BACKLOG, Reason.FORECAST | Reason.UNCALIBRATED]


def test_until_it_is_learnt_the_arrivals_per_replica_is_the_drain() -> None:
    result = story().tick(NOW, [6_000.0, 10.0])
    assert (result.need[0], result.replicas[0]) == (pytest.approx(4 * 40), 4.0)
    assert result.reasons[0] == Reason.BACKLOG | Reason.DRAIN_UNLEARNT


@pytest.mark.parametrize("drain", [0.0, 1e-300, 1.2])
def test_a_drain_near_0_is_taken_for_a_quarter_of_what_is_planned(drain: float) -> None:
    result = story().tick(NOW, [6_000.0, 10.0], **learnt(drain))
    assert result.replicas[0] == 16.0
    assert result.reasons[0] == Reason.BACKLOG | Reason.DRAIN_BOUNDED


def test_without_a_backlog_the_arrivals_are_carried() -> None:
    result = story().tick(NOW, [0.0, 10.0], **learnt(2.0))
    assert (result.need.tolist(), result.replicas[0]) == ([200.0, 10.0], 5.0)
    assert story().tick(NOW, [0.0, 0.0], **learnt(2.0)).replicas[0] == 0.0


@given(backlog=st.floats(1e-9, 1e9), drain=st.floats(1e-3, 1e9))
def test_while_there_is_a_backlog_there_is_a_replica(backlog: float, drain: float) -> None:
    result = story().tick(NOW, [backlog, 0.0], **learnt(drain))
    assert result.replicas[0] >= 1
    assert result.value[0] >= 40


@pytest.mark.parametrize("running", [0.0, 1.0, NAN])
def test_a_backlog_wakes_what_is_at_zero_also_while_its_arrivals_are_not_known(running: float) -> None:
    one = story()
    one.running = running
    result = one.tick(NOW, [6_000.0, NAN], **learnt(5.0))
    assert result.replicas.tolist() == ([1.0] if running == 0 else [pytest.approx(NAN, nan_ok=True)])
    assert result.reasons.tolist() == [Reason.ARRIVALS_MISSING, Reason.MISSING]
    assert np.isnan(result.value).all()


def test_what_is_missing_wakes_nothing() -> None:
    one = story()
    one.running = 0.0
    assert np.isnan(one.tick(NOW, [NAN, 0.0]).replicas[0])
    assert np.isnan(one.tick(NOW, [6_000.0, 0.0], raw_ms=NOW - 60_001).replicas[0])


@given(
    backlog=st.integers(0, 1_000_000),
    arrivals=st.floats(0, 1e3),
    drain=st.floats(1.25, 100),
    tick_s=st.sampled_from([1, 5, 20]),
)
@settings(deadline=None, max_examples=40)
def test_the_decided_replicas_empty_it_in_time(
    backlog: int, arrivals: float, drain: float, tick_s: int
) -> None:
    """A queue of whole items whose arrivals are as forecast, and whose replicas follow at once."""
    one, left = story(), float(backlog)
    for second in range(0, WITHIN_S, tick_s):
        result = one.tick(NOW + second * 1000, [left, arrivals], [NAN, arrivals], **learnt(drain))
        left = max(0.0, left + (arrivals - drain * result.replicas[0]) * tick_s)
    assert left <= 1e-6 * backlog + 1e-9  # items: the dust of doubles


def test_it_is_let_go_when_the_time_is_over() -> None:
    one = story()
    one.tick(NOW, [60_000.0, 0.0], **learnt(5.0))
    ticks = [one.tick(NOW + minute * MINUTE, [0.0, 0.0], **learnt(5.0)) for minute in range(1, 13)]
    assert [tick.replicas[0] for tick in ticks[:10]] == [20.0] * 10
    assert ticks[8].reasons[0] & Reason.HELD
    assert ticks[-1].replicas[0] == 0.0


@given(
    backlog=st.floats(0, 1e6), arrivals=st.floats(0, 1e3), drain=st.floats(0, 100), by=st.integers(1, 1_000)
)
def test_it_knows_no_unit_of_items(backlog: float, arrivals: float, drain: float, by: int) -> None:
    def needed(scale: int) -> float:
        one = Story(signals=[SIGNALS[0], SIGNALS[1] | {"perReplica": 5 * scale}])
        return float(one.tick(NOW, [backlog * scale, arrivals * scale], **learnt(drain * scale)).need[0])

    assert needed(by) == pytest.approx(needed(1))
