"""The aggregator picks one of two adapters for each request, and adapters come and go: what HPAs notice of it.

The aggregator asks one endpoint once: where that one gives no answer it is a 503, and to the HPA a turn that failed. So who
goes must be known as gone before it does. Who is killed can't be: its turns are counted.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.components.control_plane import HPA, ControlPlane, Make
from tests.e2e.components.host_addresses import host_addresses
from tests.e2e.components.report import note
from tests.e2e.components.waiting import until
from tests.e2e.routing.audit import RULES, Asked, Entry, Span, after, read
from tests.e2e.routing.stage import TIMEOUT_S, Stage, stage
from tests.e2e.serving.asking import RIGHT
from tests.e2e.two_adapters import Adapter

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SPREAD_S = 1
"""Far more than the aggregator takes to learn of an EndpointSlice, and the HPA to tell of a turn that failed."""
ANSWERS = 400


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    with host_addresses(2) as made:
        yield made


@pytest.fixture
def control_plane(
    machine: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ControlPlane]:
    """One of its own, whose aggregator resolves Services itself."""
    monkeypatch.setenv("NO_PROXY", "*")  # Go takes only loopback addresses for local ones
    make = Make(apiserver=["--enable-aggregator-routing=true"], audited=RULES)
    with ControlPlane(tmp_path_factory.mktemp("plane"), make) as plane:
        yield plane


def test_adapters_come_and_go_and_only_one_that_is_killed_costs_turns_of_hpas(
    hosts: list[str], control_plane: ControlPlane, tmp_path: Path
) -> None:
    with stage(tmp_path, control_plane, hosts) as on:
        both_answer(on)
        both_say_the_same(on)
        one_waits_for_its_log(on)
        each_is_replaced(on)
        nothing_else_failed(on, [])
        kills = [one_is_killed(on, adapter) for adapter in on.tidecast.adapters]
        both_say_the_same(on)
        nothing_else_failed(on, kills)


def both_answer(on: Stage) -> None:
    """Each about as much as the other."""
    before, own = {adapter: adapter.answered() for adapter in on.tidecast.adapters}, on.answers[RIGHT]
    on.wait_for_answers(ANSWERS)
    more = {adapter.name: int(adapter.answered() - count) for adapter, count in before.items()}
    note(f"routing: of {on.answers[RIGHT] - own} requests and those of HPAs each adapter has answered {more}")
    assert min(more.values()) > ANSWERS / 4


def both_say_the_same(on: Stage) -> None:
    """Also after a change of the load, which the HPAs follow."""
    identity = on.plane.front_proxy.issue("front-proxy-client")
    on.tell_more()
    on.settle()
    for one in on.hpas:

        def is_the_same(path: str = one.path) -> bool:
            said = [adapter.ask(path, identity, HPA)["items"] for adapter in on.tidecast.adapters]
            return bool(said[0] == said[1])

        until(f"both say the same of {one.name}", is_the_same, TIMEOUT_S)


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
    """As a kubelet stops a pod."""
    begun = time.time()
    assert adapter.stop(signal.SIGTERM) == 0, adapter.tail()
    told, gone_s = on.tidecast.kubelet.told[-1], time.time() - begun
    assert adapter.host not in told.ready
    note(
        f"routing: stopped {adapter.name}: not ready after {told.at - begun:.1f} s, gone after {gone_s:.1f} s"
    )


def is_back(on: Stage, adapter: Adapter) -> None:
    """Ready, and one of those that get requests."""
    all_of_them = frozenset(on.tidecast.hosts)
    until("both are ready", lambda: on.tidecast.kubelet.is_told(all_of_them), TIMEOUT_S)
    until(f"{adapter.name} answers", lambda: adapter.answered() > ANSWERS / 4, TIMEOUT_S)


def one_is_killed(on: Stage, adapter: Adapter) -> Span:
    """Until the aggregator knows it: while requests may meet nobody. Then the other answers alone."""
    begin, other = time.time(), frozenset(on.tidecast.hosts) - {adapter.host}
    adapter.kill()
    until(f"{adapter.name} is not ready", lambda: on.tidecast.kubelet.is_told(other), TIMEOUT_S)
    window = Span(begin, on.tidecast.kubelet.told[-1].at + SPREAD_S)
    on.wait_for_answers(ANSWERS)
    on.settle()
    adapter.start()
    is_back(on, adapter)
    return window


def nothing_else_failed(on: Stage, kills: Sequence[Span]) -> None:
    """By the API server's own record: requests of HPAs and of ours, what HPAs say, and whether an APIService had nobody."""
    record = read(on.plane.audit_log)
    assert record.available
    assert after(on.since, record.unavailable) == []
    refused = after(on.since, record.refused)
    note_costs(on, refused, kills)
    lost: list[Entry] = [*refused, *after(on.since, record.inactive), *after(on.since, record.failures)]
    assert [one for one in lost if not any(map(one.span.meets, kills))] == []
    assert set(on.answers) <= {RIGHT, "503"}
    assert not [wrong for asker in on.askers for wrong in asker.wrong]


def note_costs(on: Stage, refused: Sequence[Asked], kills: Sequence[Span]) -> None:
    for kill in kills:
        met_it = [one for one in refused if one.span.meets(kill)]
        by = Counter("HPAs" if one.user == HPA else "us" for one in met_it)
        lasted_s = max((one.span.end for one in met_it), default=kill.begin) - kill.begin
        note(f"routing: a kill failed requests of {dict(by)}, the last after {lasted_s:.2f} s")
    note(f"routing: answers to us {dict(on.answers)}")
    for text, count in on.refusals.items():
        note(f"routing: {count} times {text}")
