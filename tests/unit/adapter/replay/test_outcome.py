"""Costs and shortages by hand, and against a walk over seconds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.replay.baselines import hindsight
from adapter.replay.cluster import Site, Startup
from adapter.replay.outcome import Demand, outcome

MINUTE = 60_000


def demand(*needed: float, step_ms: int = MINUTE) -> Demand:
    return Demand(np.arange(len(needed) + 1) * step_ms, np.array(needed))


def test_half_a_minute_too_few_and_half_a_minute_too_many() -> None:
    found = outcome(demand(4, 4), [(0, 3), (30_000, 4), (90_000, 6)], [(0, 4), (60_000, 6)])
    assert found.short == pytest.approx(1 / 16)
    assert found.over == pytest.approx(2 / 16)
    assert found.minutes_short == 0.5
    assert found.worst_minute == pytest.approx(1 / 8)
    assert found.replica_hours == pytest.approx(10 / 60)
    assert found.longest_delay_s == pytest.approx(30 / 3)  # 30 replica-seconds wait for 3 replicas
    assert (found.changes, found.flaps) == (1, 0)


def test_what_is_queued_is_worked_off_by_what_is_free() -> None:
    found = outcome(demand(4, 2, 2), [(0, 3)], [(0, 3)])
    assert found.longest_delay_s == pytest.approx(20)
    assert found.minutes_short == 1


def test_a_gap_costs_and_misses_nothing() -> None:
    found = outcome(demand(2, float("nan"), 2), [(0, 2)], [(0, 2)])
    assert (found.short, found.over, found.longest_delay_s) == (0, 0, 0)
    assert found.replica_hours == pytest.approx(6 / 60)


def test_a_change_undone_soon_is_a_flap() -> None:
    paid = [(0, 3), (MINUTE, 5), (4 * MINUTE, 4), (20 * MINUTE, 6)]
    found = outcome(demand(*[1] * 30), paid, paid)
    assert (found.changes, found.flaps) == (3, 1)


def test_a_part_is_cut_out_exactly() -> None:
    part = demand(1, 2, 3).within(30_000, 150_000)
    assert part.edges_ms.tolist() == [30_000, 60_000, 120_000, 150_000]
    assert part.needed.tolist() == [1, 2, 3]


@given(
    st.lists(st.floats(0, 9), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)), max_size=6),
)
def test_the_integrals_are_those_of_a_walk_over_seconds(
    needed: list[float], steps: list[tuple[int, int]]
) -> None:
    ready, at = [(0, 3)], 0
    for later, number in steps:
        at += later * 1000
        ready.append((at, number))
    found = outcome(demand(*needed, step_ms=10_000), ready, ready)
    short = over = queued = longest = 0.0
    for second in range(10 * len(needed)):
        capacity = [number for time, number in ready if time <= second * 1000][-1]
        gap = needed[second // 10] - capacity
        short, over = short + max(0, gap), over + max(0, -gap)
        before, queued = queued, max(0.0, queued + gap)
        longest = max(longest, before / max(capacity, 1), queued / max(capacity, 1))
    total = max(10 * sum(needed), 1e-12)
    assert found.short * found.demand_hours * 3600 == pytest.approx(short, abs=1e-6)
    if sum(needed) > 1e-3:
        assert found.over * total == pytest.approx(over, abs=1e-6)
    assert found.longest_delay_s == pytest.approx(longest, abs=1e-6)


# Less than a billionth of a replica is a float's dust, for which none is started.
@given(st.lists(st.floats(0, 30).map(lambda needed: round(needed, 6)), min_size=2, max_size=20))
def test_hindsight_is_never_short_and_pays_for_starts(needed: list[float]) -> None:
    ready, paid = hindsight(demand(*needed), Site(Startup(90_000)))
    found = outcome(demand(*needed), ready, paid)
    assert found.short < 1e-6
    whole = np.ceil(np.array(needed) - 1e-9)
    assert found.replica_hours * 60 >= whole.sum() - 1e-6
    assert found.replica_hours * 60 <= whole.sum() + 1.5 * whole.sum() + 1e-6
