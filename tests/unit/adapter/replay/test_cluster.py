"""Pods that start, stop and wait for nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.replay.cluster import IDLE_MS, Cluster, Nodes, Site, Startup

AT_ONCE, MINUTE = Startup(0), 60_000


def test_starts_are_spread_as_their_percentile_says() -> None:
    starts = sorted(Startup(MINUTE).of(number) for number in range(1000))
    assert starts[899] == pytest.approx(MINUTE, rel=0.01)
    assert starts[499] == pytest.approx(0.64 * MINUTE, rel=0.02)
    assert starts[0] > 0.1 * MINUTE


def test_pods_carry_load_when_they_have_started_and_cost_from_their_creation() -> None:
    cluster = Cluster(Site(Startup(MINUTE)), 2, 0)
    cluster.scale(4, 1000)
    starts = sorted(1000 + Startup(MINUTE).of(number) for number in range(2))
    assert cluster.advance(starts[0]) == 2 * starts[0]
    assert cluster.advance(starts[1]) == 3 * (starts[1] - starts[0])
    assert cluster.ready == [(0, 2), (starts[0], 3), (starts[1], 4)]
    assert cluster.paid == [(0, 2), (1000, 4)]


def test_those_that_carry_no_load_yet_go_first() -> None:
    cluster = Cluster(Site(Startup(MINUTE)), 2, 0)
    cluster.scale(5, 0)
    cluster.scale(2, 1)
    cluster.advance(10 * MINUTE)
    assert cluster.ready == [(0, 2)]
    cluster.scale(1, 10 * MINUTE)
    assert cluster.ready == [(0, 2), (10 * MINUTE, 1)]


def test_a_quota_holds_back_what_is_beyond_it() -> None:
    cluster = Cluster(Site(AT_ONCE, quota=3), 1, 0)
    cluster.scale(9, 0)
    assert cluster.pods == 3


def test_pods_without_a_node_wait_for_one_and_it_stays_for_a_while() -> None:
    cluster = Cluster(Site(AT_ONCE, Nodes(room=4, delay_ms=3 * MINUTE)), 4, 0)
    cluster.scale(6, 0)
    cluster.advance(2 * MINUTE)
    assert cluster.carrying == 4
    cluster.advance(3 * MINUTE)
    assert cluster.carrying == 6
    cluster.scale(4, 4 * MINUTE)
    cluster.scale(5, 5 * MINUTE)  # the node is there still
    cluster.advance(5 * MINUTE)
    assert cluster.carrying == 5
    cluster.scale(4, 6 * MINUTE)
    cluster.scale(3, 6 * MINUTE + IDLE_MS)  # by now it has been given back
    cluster.scale(5, 7 * MINUTE + IDLE_MS)
    cluster.advance(9 * MINUTE + IDLE_MS)
    assert cluster.carrying == 4


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 90_000)), max_size=30), st.booleans())
def test_no_pod_is_lost_or_made_up(changes: list[tuple[int, int]], nodes: bool) -> None:
    cluster = Cluster(Site(Startup(MINUTE), Nodes(3, 2 * MINUTE) if nodes else None), 5, 0)
    now = 0
    for wanted, later in changes:
        now += later
        cluster.advance(now)
        cluster.scale(wanted, now)
        assert 0 <= cluster.carrying <= cluster.pods == wanted
    cluster.advance(now + 10**8)
    assert cluster.carrying == cluster.pods
