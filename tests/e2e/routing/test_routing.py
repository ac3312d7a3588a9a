"""The aggregator picks one of two adapters for each request, and adapters come and go: what the HPA notices of it.

The aggregator asks one endpoint, once: what that one does not answer is a 503, and to the HPA a turn that failed. So who
goes must first be known as gone.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.components.control_plane import HPA, ControlPlane, Make
from tests.e2e.components.host_addresses import host_addresses
from tests.e2e.components.report import note
from tests.e2e.components.waiting import until
from tests.e2e.routing.audit import API_SERVICES, HPAS, RULES, Asked
from tests.e2e.routing.stage import LOAD, TIMEOUT_S, Stage, stage
from tests.e2e.two_adapters import Adapter

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SPREAD_S = 1
"""In which the aggregator learns what an EndpointSlice says, and the HPA's turn that failed is told."""
ANSWERS = 400


class Window(NamedTuple):
    """Seconds of the wall clock."""

    begin: float
    end: float


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    with host_addresses(2) as made:
        yield made


@pytest.fixture
def control_plane(
    machine: None, hosts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ControlPlane]:
    """One of its own, whose aggregator resolves Services itself."""
    monkeypatch.setenv("NO_PROXY", "*")  # for the hosts' addresses are none that Go knows as local
    folder = tmp_path / "plane"
    folder.mkdir()
    with ControlPlane(folder, Make(apiserver=["--enable-aggregator-routing=true"], audited=RULES)) as plane:
        yield plane


def test_only_an_adapter_that_is_killed_costs_a_turn_of_an_hpa(
    control_plane: ControlPlane, hosts: list[str], tmp_path: Path
) -> None:
    with stage(tmp_path, control_plane, hosts) as on:
        both_answer(on)
        both_say_the_same(on)
        one_waits_for_its_log(on)
        each_is_replaced(on)
        windows = [one_is_killed(on, adapter) for adapter in on.tidecast.adapters]
        both_say_the_same(on)
    assert not [one for asker in on.askers for one in asker.wrong]
    nothing_else_failed(on, windows)


def both_answer(on: Stage) -> None:
    """Each about as much as the other."""
    before, begun = on.answered(), {adapter: adapter.answered() for adapter in on.tidecast.adapters}
    on.wait_for_answers(ANSWERS)
    each = {adapter.name: int(adapter.answered() - count) for adapter, count in begun.items()}
    note(f"routing: answered by each adapter {each}, of our own load {on.answered() - before}")
    assert min(each.values()) > ANSWERS / 4


def both_say_the_same(on: Stage) -> None:
    """Also after a change of the load, which the HPAs follow."""
    identity = on.plane.front_proxy.issue("front-proxy-client")
    on.told.tell(on.told.load + LOAD)
    on.settle()
    for path in (one.path for one in on.hpas):

        def said(path: str = path) -> bool:
            one, other = (adapter.ask(path, identity, HPA)["items"] for adapter in on.tidecast.adapters)
            return bool(one == other)

        until(f"both adapters say the same of {path}", said, TIMEOUT_S)


def one_waits_for_its_log(on: Stage) -> None:
    """An adapter that has not read the log yet gets no request, and takes its part once it has."""
    adapter = on.tidecast.adapters[0]
    with on.tidecast.without_log():
        is_stopped(on, adapter)
        adapter.begin()
        until("it is not ready", lambda: adapter.readiness() == (503, b"the log is being read"), TIMEOUT_S)
        on.wait_for_answers(ANSWERS)
        assert adapter.answered() == 0
    is_back(on, adapter)


def each_is_replaced(on: Stage) -> None:
    """As a rollout does it."""
    for adapter in on.tidecast.adapters:
        is_stopped(on, adapter)
        adapter.start()
        is_back(on, adapter)


def is_stopped(on: Stage, adapter: Adapter) -> None:
    """As the kubelet stops a pod."""
    begun = time.time()
    assert adapter.stop(signal.SIGTERM) == 0, adapter.tail()
    ended, told = time.time(), on.tidecast.kubelet.told[-1]
    assert adapter.host not in told.ready
    note(
        f"routing: {adapter.name} was stopped, not ready after {told.at - begun:.1f} s, gone after {ended - begun:.1f} s"
    )


def is_back(on: Stage, adapter: Adapter) -> None:
    until("both are ready", lambda: on.tidecast.kubelet.is_told(frozenset(on.tidecast.hosts)), TIMEOUT_S)
    until(f"{adapter.name} answers again", lambda: adapter.answered() > ANSWERS / 4, TIMEOUT_S)


def one_is_killed(on: Stage, adapter: Adapter) -> Window:
    """When requests may have met nobody: until the aggregator knows."""
    alone = frozenset(on.tidecast.hosts) - {adapter.host}
    begun = time.time()
    adapter.kill()
    until(f"{adapter.name} is not ready", lambda: on.tidecast.kubelet.is_told(alone), TIMEOUT_S)
    window = Window(begun, on.tidecast.kubelet.told[-1].at + SPREAD_S)
    on.wait_for_answers(ANSWERS)
    until("all HPAs work", lambda: all(one.active() for one in on.hpas), TIMEOUT_S)
    assert [one.replicas() for one in on.hpas] == [one.implied(on.told.load) for one in on.hpas]
    adapter.start()
    is_back(on, adapter)
    return window


def nothing_else_failed(on: Stage, windows: list[Window]) -> None:
    """By the API server's own record: every request of an HPA and of ours, every status of an HPA and of an APIService."""
    asked = on.audit.asked(on.since)
    failed = [one for one in asked if one.code != 200]
    turns = [one for one in on.audit.conditions(on.since, HPAS, "ScalingActive") if one.status != "True"]
    for window in windows:
        within = [one for one in failed if meets(one, window)]
        by = Counter("HPA" if one.user == HPA else "ours" for one in within)
        last = max((one.done for one in within), default=window.begin)
        note(
            f"routing: killed: failed {dict(by)}, all within {last - window.begin:.2f} s of {window.end - window.begin:.2f} s"
        )
    for one in turns:
        note(f"routing: {one}")
    users = Counter(one.user for one in asked)
    note(f"routing: requests {dict(users)}")
    assert not [one for one in failed if not any(meets(one, window) for window in windows)]
    assert {one.code for one in failed} <= {503}
    assert not [one for one in turns if not any(w.begin <= one.at <= w.end for w in windows)]
    gone = [one for one in on.audit.conditions(on.since, API_SERVICES, "Available") if one.status != "True"]
    assert not gone


def meets(one: Asked, window: Window) -> bool:
    return one.at <= window.end and one.done >= window.begin
