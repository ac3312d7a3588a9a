"""A reflector's course: list once, go on where a round ended, anew where that is gone; a cluster of scripted rounds."""

import asyncio
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from adapter.running import KNOWN_MS, PODS, RunningPods
from cme.core.clock import ManualClock
from cme.core.errors import KubeFailed, KubeGone
from cme.runtime.reflector import HASTY_MS, Reflector
from cme.runtime.telemetry import AdapterTelemetry
from tests.unit.adapter.stage import NOW

Json = Mapping[str, Any]


def pod(name: str, version: int = 1, **more: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop", "name": name, "resourceVersion": str(version), **more}}


def page(*names: str, version: int, more: str = "") -> Json:
    return {"metadata": {"resourceVersion": str(version), "continue": more}, "items": [pod(n) for n in names]}


def gone(name: str, version: int) -> Json:
    return {"type": "DELETED", "object": pod(name, version)}


class Round:
    """A watch that says what it holds, lets time pass, and ends; or waits for its end when it is open."""

    def __init__(
        self, clock: ManualClock, *events: Json, lasts_ms: int, fails: KubeFailed | None = None
    ) -> None:
        self._clock, self._events, self._lasts_ms, self._fails = clock, events, lasts_ms, fails

    def __iter__(self) -> Iterator[Json]:
        yield from self._events
        self._clock.advance(self._lasts_ms)
        if self._fails:
            raise self._fails

    def close(self) -> None:
        """It ends anyway."""


class Open:
    """A watch that nothing comes from until it is closed."""

    def __init__(self) -> None:
        self.reached, self._closed = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Json]:
        self.reached.set()
        self._closed.wait(30)
        yield from ()

    def close(self) -> None:
        self._closed.set()


class Cluster:
    """Answers in the order of the script; what is asked beyond it fails."""

    def __init__(
        self, lists: Sequence[Json | KubeFailed], rounds: Sequence[Round | Open | KubeFailed]
    ) -> None:
        self.asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lists, self._rounds = iter(lists), iter(rounds)

    def get(self, path: str) -> Json:
        self.asked.put(path.split("%3DRunning&")[1])
        answer = next(self._lists, KubeFailed("down"))
        if isinstance(answer, KubeFailed):
            raise answer
        return answer

    def watch(self, path: str, seconds: int) -> Round | Open:
        self.asked.put(path.rsplit("&", 1)[1])
        answer = next(self._rounds, KubeFailed("down"))
        if isinstance(answer, KubeFailed):
            raise answer
        return answer

    def questions(self) -> list[str]:
        return [self.asked.get() for _ in range(self.asked.qsize())]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


class Pods:
    """A collection and what keeps it."""

    def __init__(self, cluster: Cluster, clock: ManualClock, registry: CollectorRegistry) -> None:
        self.running = RunningPods(clock)
        self.turn = Reflector(cluster, PODS, self.running, clock, AdapterTelemetry(registry).pods).turn


async def test_it_lists_all_pages_and_watches_from_there(
    clock: ManualClock, registry: CollectorRegistry
) -> None:
    cluster = Cluster([page("a", version=5, more="t=1"), page("b", version=5)], [])
    pods = Pods(cluster, clock, registry)
    await pods.turn()
    assert cluster.questions() == ["limit=500", "limit=500&continue=t%3D1", "resourceVersion=5"]
    assert pods.running.among("shop", ["a", "b", "c"]) == ["a", "b"]


async def test_a_cluster_without_a_running_pod_says_null(
    clock: ManualClock, registry: CollectorRegistry
) -> None:
    empty = {"metadata": {"resourceVersion": "5"}, "items": None}
    pods = Pods(Cluster([empty], []), clock, registry)
    await pods.turn()
    assert pods.running.among("shop", ["a"]) == []


async def test_a_lost_watch_goes_on_after_the_last_event(
    clock: ManualClock, registry: CollectorRegistry
) -> None:
    """What happened meanwhile comes first: there is no hole and no list."""
    lost = Round(clock, gone("a", 6), lasts_ms=HASTY_MS, fails=KubeFailed("cut"))
    cluster = Cluster([page("a", "b", version=5)], [lost, Round(clock, gone("b", 9), lasts_ms=HASTY_MS)])
    pods = Pods(cluster, clock, registry)
    await pods.turn()
    assert pods.running.among("shop", ["a", "b"]) == ["b"]
    await pods.turn()
    assert pods.running.among("shop", ["a", "b"]) == []
    assert cluster.questions() == [
        "limit=500",
        "resourceVersion=5",
        "resourceVersion=6",
        "resourceVersion=9",
    ]


@pytest.mark.parametrize("at_once", [True, False])
async def test_where_the_past_is_gone_all_are_listed_again(
    at_once: bool, clock: ManualClock, registry: CollectorRegistry
) -> None:
    forgotten = KubeGone("too old")
    first = forgotten if at_once else Round(clock, lasts_ms=KNOWN_MS + 1, fails=forgotten)
    cluster = Cluster([page("a", "b", version=5), page("b", version=90)], [first])
    pods = Pods(cluster, clock, registry)
    await pods.turn()
    assert pods.running.known is at_once
    await pods.turn()
    assert pods.running.among("shop", ["a", "b"]) == ["b"]
    assert cluster.questions()[-2:] == ["limit=500", "resourceVersion=90"]
    assert registry.get_sample_value("tidecast_pod_lists_total") == 2


async def test_a_whole_round_is_a_proof_and_a_lost_one_is_none(
    clock: ManualClock, registry: CollectorRegistry
) -> None:
    whole, lost = Round(clock, lasts_ms=KNOWN_MS), Round(clock, lasts_ms=KNOWN_MS, fails=KubeFailed("cut"))
    pods = Pods(Cluster([page("a", version=5)], [whole, lost]), clock, registry)
    await pods.turn()
    assert pods.running.known
    clock.advance(1)
    assert not pods.running.known


async def test_a_round_that_ends_at_once_is_a_failure(
    clock: ManualClock, registry: CollectorRegistry
) -> None:
    """Else a server that refuses in this way would be asked without pause."""
    hasty = [Round(clock, lasts_ms=HASTY_MS - 1)] * 2
    cluster = Cluster([page("a", version=5)], hasty)
    await Pods(cluster, clock, registry).turn()
    assert cluster.questions() == ["limit=500", "resourceVersion=5"]


async def test_a_cause_is_logged_once(
    clock: ManualClock, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    pods = Pods(Cluster([KubeFailed("forbidden")] * 2, []), clock, registry)
    for _ in range(3):
        await pods.turn()
    assert [record.getMessage() for record in caplog.records] == [
        "/api/v1/pods is not watched: forbidden",
        "/api/v1/pods is not watched: down",
    ]
    assert not pods.running.known


async def test_a_stop_ends_a_watch_that_says_nothing(clock: ManualClock, registry: CollectorRegistry) -> None:
    whole, silent = Round(clock, lasts_ms=HASTY_MS), Open()
    pods = Pods(Cluster([page("a", version=5)], [whole, silent]), clock, registry)
    turn = asyncio.create_task(pods.turn())
    assert await asyncio.to_thread(silent.reached.wait, 30)
    assert registry.get_sample_value("tidecast_pod_watch_success") == 1
    turn.cancel()
    with suppress(asyncio.CancelledError):
        await turn
    await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 10)
    assert registry.get_sample_value("tidecast_pod_watch_success") == 0
