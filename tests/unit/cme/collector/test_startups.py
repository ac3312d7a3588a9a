"""How long replicas take to start, learnt from pods as a cluster lists them."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.collector.startups import KEPT, LONGEST_MS, QUANTILE, Startups, quantile
from cme.core.durations import DAY_MS
from cme.core.replica_record import Startup

NOW = 1_795_000_000_000


def stamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(name: str, created: int, ready: int | None = None, restarts: int = 0) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "False", "lastTransitionTime": stamp(created)}]
    if ready is not None:
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": stamp(ready)}]
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": stamp(created)},
        "status": {"conditions": conditions, "containerStatuses": [{"restartCount": restarts}]},
    }


def learnt(pods: list[dict[str, Any]], now: int = NOW) -> Startup | None:
    startups = Startups(ordered=False)
    startups.take(pods, len(pods), now)
    return startups.learnt(now)


def test_a_pod_that_becomes_ready_tells_its_start() -> None:
    startups = Startups(ordered=False)
    startups.take([pod("a", NOW)], 1, NOW)
    assert startups.learnt(NOW) is None
    startups.take([pod("a", NOW, NOW + 42_000)], 1, NOW + 45_000)
    assert startups.learnt(NOW + 45_000) == Startup(42_000, 1)
    startups.take([pod("a", NOW, NOW + 90_000)], 1, NOW + 95_000)  # it was not ready for a while
    assert startups.learnt(NOW + 95_000) == Startup(42_000, 1)


def test_pods_that_run_already_tell_theirs_unless_they_may_have_flapped() -> None:
    assert learnt([pod("a", NOW, NOW + 30_000)]) == Startup(30_000, 1)
    assert learnt([pod("a", NOW, NOW + 30_000, restarts=1)]) is None
    assert learnt([pod("a", NOW - DAY_MS, NOW)]) is None
    assert learnt([pod("a", NOW - LONGEST_MS, NOW)]) == Startup(LONGEST_MS, 1)


def test_a_pod_that_hangs_makes_the_start_longer() -> None:
    quick = [pod(f"q{n}", NOW - 600_000, NOW - 570_000) for n in range(4)]
    assert learnt(quick) == Startup(30_000, 4)
    assert learnt([*quick, pod("hangs", NOW - 300_000)]) == Startup(300_000, 4)


def test_one_that_is_given_up_counts_as_long_as_it_was_waited_for() -> None:
    startups, quick = Startups(ordered=False), pod("a", NOW, NOW + 10_000)
    startups.take([quick, pod("b", NOW)], 2, NOW + 10_000)
    startups.take([quick], 1, NOW + 200_000)
    assert startups.learnt(NOW + DAY_MS // 2) == Startup(200_000, 1)


def test_in_order_it_counts_as_often_as_replicas_were_missing() -> None:
    startups = Startups(ordered=True)
    startups.take([pod("a-0", NOW, NOW + 20_000)], 4, NOW + 30_000)
    assert startups.learnt(NOW + 30_000) == Startup(20_000, 1, 3)
    startups.take([pod("a-0", NOW, NOW + 20_000)], 1, NOW + 30_000 + DAY_MS + 1)
    assert startups.learnt(NOW + 2 * DAY_MS) == Startup(20_000, 1, 1)


def test_two_that_start_together_are_not_in_order() -> None:
    startups = Startups(ordered=True)
    startups.take([pod("a-0", NOW, NOW + 20_000), pod("a-1", NOW), pod("a-2", NOW)], 3, NOW + 1_000)
    startups.take([pod("a-0", NOW, NOW + 20_000)], 1, NOW + 2_000)
    found = startups.learnt(NOW + 2_000)
    assert found is not None
    assert found.steps == 1


def test_only_the_newest_starts_are_remembered() -> None:
    startups = Startups(ordered=False)
    for number in range(3 * KEPT):
        begun = NOW + number * 60_000
        startups.take(
            [pod(f"p{number}", begun, begun + (50_000 if number < KEPT else 5_000))], 1, begun + 55_000
        )
    assert startups.learnt(NOW) == Startup(5_000, KEPT)


@pytest.mark.parametrize(
    "broken", [{"metadata": {}}, {"metadata": {"uid": "x", "creationTimestamp": "soon"}}]
)
def test_what_has_no_times_is_passed_over(broken: dict[str, Any]) -> None:
    assert learnt([broken]) is None


DURATIONS = st.lists(st.floats(1, 1e6), min_size=1, max_size=200)


@given(DURATIONS)
def test_without_open_starts_it_is_the_empirical_quantile(durations: list[float]) -> None:
    rank = math.ceil(QUANTILE * len(durations) - 1e-9)
    assert quantile([(one, True) for one in durations], QUANTILE) == sorted(durations)[rank - 1]


@given(DURATIONS, st.data())
def test_an_open_start_never_makes_it_shorter_than_had_it_ended_at_once(
    durations: list[float], data: st.DataObject
) -> None:
    ended = data.draw(st.lists(st.booleans(), min_size=len(durations), max_size=len(durations)))
    told = list(zip(durations, ended, strict=True))
    found = quantile(told, QUANTILE)
    assert quantile([(one, True) for one in durations], QUANTILE) <= found <= max(durations)


@given(st.lists(st.tuples(st.integers(1, DAY_MS // 3), st.integers(0, 5)), min_size=1, max_size=40))
def test_the_steps_are_the_most_that_were_missing_at_once_within_a_day(turns: list[tuple[int, int]]) -> None:
    startups, now, told = Startups(ordered=True), NOW, list[tuple[int, int]]()
    ready = pod("a-0", NOW, NOW + 20_000)
    for later, missing in turns:
        now += later
        told.append((now, max(1, missing)))
        startups.take([ready], 1 + missing, now)
    found = startups.learnt(now)
    assert found is not None
    assert found.steps == max(steps for at, steps in told if at >= now - DAY_MS)
