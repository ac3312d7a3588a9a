"""Which pods run and stay, from a cluster that changes in every way it can."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.running import KNOWN_MS, RunningPods
from cme.core.clock import ManualClock
from tests.unit.adapter.stage import NOW

NAMES = ("web-1", "web-2", "web-3")


def metadata(name: str, deleted: bool = False, namespace: str = "shop") -> dict[str, Any]:
    stamp = {"deletionTimestamp": "2027-01-15T08:00:00Z"} if deleted else {}
    return {"metadata": {"namespace": namespace, "name": name, "resourceVersion": "7", **stamp}}


def event(kind: str, name: str = "web-1", deleted: bool = False) -> dict[str, Any]:
    return {"type": kind, "object": metadata(name, deleted)}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def running(clock: ManualClock) -> RunningPods:
    made = RunningPods(clock)
    made.begin([metadata("web-1"), metadata("web-2"), metadata("web-3", deleted=True)], 0)
    return made


def test_nothing_is_known_at_first(clock: ManualClock) -> None:
    assert RunningPods(clock).among("shop", NAMES) is None


def test_a_list_tells_who_stays(running: RunningPods) -> None:
    assert running.among("shop", NAMES) == ["web-1", "web-2"]


def test_namespaces_are_kept_apart(running: RunningPods) -> None:
    assert running.among("other", NAMES) == []


@pytest.mark.parametrize(
    "leaves", [event("MODIFIED", deleted=True), event("DELETED"), event("ADDED", deleted=True)]
)
def test_who_leaves_is_left_out_at_once(leaves: dict[str, Any], running: RunningPods) -> None:
    running.take(leaves)
    assert running.among("shop", NAMES) == ["web-2"]


def test_a_pod_that_comes_back_under_its_name_counts_again(running: RunningPods) -> None:
    for one in (event("MODIFIED", deleted=True), event("DELETED"), event("ADDED")):
        running.take(one)
    assert running.among("shop", NAMES) == ["web-1", "web-2"]


def test_a_new_list_forgets_the_old_one(running: RunningPods) -> None:
    running.begin([metadata("web-3")], 0)
    assert running.among("shop", NAMES) == ["web-3"]


def test_it_is_known_for_a_while_after_the_last_proof(clock: ManualClock, running: RunningPods) -> None:
    clock.advance(KNOWN_MS)
    assert running.known
    clock.advance(1)
    assert running.among("shop", NAMES) is None


@pytest.mark.parametrize("proof", ["the end of a round", "a bookmark"])
def test_a_proof_makes_it_known_again(proof: str, clock: ManualClock, running: RunningPods) -> None:
    clock.advance(KNOWN_MS + 1)
    if proof == "a bookmark":
        running.take({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "8"}}})
    else:
        running.confirm()
    assert running.among("shop", NAMES) == ["web-1", "web-2"]


def test_an_event_proves_nothing_about_others(clock: ManualClock, running: RunningPods) -> None:
    """After an outage the first events are old ones: the one that matters may come behind them."""
    clock.advance(KNOWN_MS + 1)
    running.take(event("ADDED"))
    assert not running.known


def test_a_list_is_as_old_as_its_question(clock: ManualClock, running: RunningPods) -> None:
    asked = clock.monotonic_ms()
    clock.advance(KNOWN_MS + 1)
    running.begin([metadata("web-1")], asked)
    assert not running.known


@dataclass
class Cluster:
    """Pods of one namespace, and what a watch of the running ones says when they change."""

    pods: dict[str, bool] = field(default_factory=dict)
    """By name whether it is being deleted."""

    def step(self, name: str, action: str) -> dict[str, Any] | None:
        here = name in self.pods
        if action == "create" and not here:
            self.pods[name] = False
            return event("ADDED", name)
        if action == "delete" and here:
            self.pods[name] = True
            return event("MODIFIED", name, deleted=True)
        if action == "touch" and here:
            return event("MODIFIED", name, self.pods[name])
        if action in ("vanish", "fail") and here:
            return event("DELETED", name, self.pods.pop(name))
        return None


STEPS = st.tuples(st.sampled_from(NAMES), st.sampled_from(["create", "delete", "touch", "vanish", "fail"]))


@given(before=st.lists(STEPS, max_size=10), after=st.lists(STEPS, max_size=30))
def test_list_and_watch_together_are_what_is_there(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    cluster, running = Cluster(), RunningPods(ManualClock(NOW))
    for step in before:
        cluster.step(*step)
    running.begin((metadata(name, deleted) for name, deleted in cluster.pods.items()), 0)
    for told in (cluster.step(*step) for step in after):
        if told is not None:
            running.take(told)
    assert running.among("shop", NAMES) == [name for name in NAMES if cluster.pods.get(name) is False]
