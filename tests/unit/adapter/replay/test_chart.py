"""What a chart shows: exact where it has room, the worst of a step where it has not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.replay.chart import MOST_POINTS, background, largest, missing, times_of
from adapter.replay.outcome import Demand, outcome
from tests.unit.adapter.replay.past import HOUR, MINUTE, START, past, policy

NAN = float("nan")


def demand(*needed: float) -> Demand:
    return Demand(np.arange(len(needed) + 1) * MINUTE, np.array(needed))


def test_a_short_time_is_shown_by_minutes_and_a_long_one_by_as_many_as_it_needs() -> None:
    assert times_of(demand(1, 2, 3)).tolist() == [0, MINUTE, 2 * MINUTE]
    times = times_of(demand(*[1.0] * (2 * MOST_POINTS + 1)))
    assert len(times) <= MOST_POINTS
    assert set(np.diff(times)) == {3 * MINUTE}


def test_a_peak_within_a_step_is_shown() -> None:
    one = demand(1, 9, 1, NAN, 2, NAN, NAN, NAN)
    found = largest(one, np.arange(0, 8, 2) * MINUTE)
    assert found[:3].tolist() == [9, 1, 2]
    assert np.isnan(found[3])


@given(
    st.lists(st.one_of(st.floats(0, 9), st.just(NAN)), min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(1, 200), st.integers(0, 9)), max_size=6),
)
def test_what_is_missing_in_all_steps_is_what_was_missing(
    needed: list[float], steps: list[tuple[int, int]]
) -> None:
    ready, at = [(0, 3)], 0
    for later, number in steps:
        at += later * 1000
        ready.append((at, number))
    one = demand(*needed)
    times = np.arange(0, len(needed), 3) * MINUTE
    hours = np.diff(np.append(times, len(needed) * MINUTE)) / HOUR
    found = outcome(one, ready, ready)
    assert (missing(one, ready, times) * hours).sum() == pytest.approx(found.short * found.demand_hours)


def test_forecasts_are_shown_in_replicas_of_the_demand_and_not_where_there_are_none() -> None:
    made = policy(forecast={"quantile": 0.95, "lead": "15m"})
    known = past([1000.0] * 60, carries=50.0, ahead=1.5)
    spread = known.forecasts["qps"].largest.copy()
    spread[:, 1:] *= 2
    known = replace(known, forecasts={"qps": replace(known.forecasts["qps"], largest=spread)})
    times = np.array([START + 30_000, START + 30 * MINUTE])
    behind = background(made, known, times)
    assert (behind.lead_ms, behind.quantile) == (15 * MINUTE, 0.95)
    assert np.isnan([behind.median[0], behind.covered[0]]).all()  # before the first minute's end
    assert (behind.median[1], behind.covered[1]) == pytest.approx((30, 60))


def test_floors_and_ceilings_are_those_of_limits_and_schedules() -> None:
    schedule = {"name": "s", "start": "30 * * * *", "duration": "10m", "minReplicas": 20, "maxReplicas": 40}
    made = policy(schedules=[schedule], forecast={"lead": "5m"})
    times = START + np.array([20, 26, 35, 45]) * MINUTE
    behind = background(made, past([1000.0] * 60), times)
    assert behind.floor.tolist() == [1, 20, 20, 1]  # the lead before its start, too
    assert behind.ceiling.tolist() == [500, 500, 40, 500]
