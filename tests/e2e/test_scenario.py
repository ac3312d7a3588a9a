"""One scenario through everything: load comes, Prometheus dies and returns, load goes.

Real load on a real nginx and a real topic, measured by real exporters and Prometheus, through `tidecast up` as
deploy/ installs it, the aggregator, and real HPAs. Every replica count is held against the number that was served.
"""

import signal
import time
from collections.abc import Iterator, Mapping

import pytest

from tests.e2e import policies, workloads
from tests.e2e import scene as scenes
from tests.e2e.components.control_plane import HPA, ControlPlane
from tests.e2e.components.kafka import Kafka
from tests.e2e.components.kube import KubeError
from tests.e2e.components.monitored import Monitored
from tests.e2e.components.report import note
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import CUSTOM, EXTERNAL, Followed, by_object
from tests.e2e.on_kafka import OnKafka
from tests.e2e.scene import FLOOR, Scene
from tests.e2e.two_adapters import TwoAdapters
from tests.e2e.watch import POLL_S, Seen, descend, first_less_s, largest_loss, reach

pytestmark = pytest.mark.e2e

PAGES, BULK, JOBS = 210, 50, 400
"""Requests for small and for large pages per second, and records in the queue, while there is load.

Their numbers lie amid what a replica carries (large pages with what else crosses the loopback: up to a tenth more): at
its edge a peak of noise would take a replica along when it leaves the window, and look like the load's end.
"""

LASTING_S = policies.RATE_WINDOW_S + policies.WINDOW_S + policies.PERIOD_S
"""What comes for an instant stays in the rates for their range, then in the window, then goes by the share a period."""
SYNC_S = 2.0
"""An HPA looks at its number at least as often as this; the control plane's period is 1 s."""
ALONE_S = 6.0
"""So long one adapter is watched to be enough: several turns of each HPA."""
LARGEST_LOSS = policies.SHARE + 0.02
"""In less than a period; the rest is what the HPA's own sync blurs."""


@pytest.fixture(
    params=[Tidecast, *(pytest.param(one, marks=pytest.mark.slow) for one in (TwoAdapters, OnKafka))]
)
def scene(
    control_plane: ControlPlane,
    kafka: Kafka,
    web: Monitored,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with scenes.scene(folder, control_plane, kafka, web, request.param) as made:
        yield made


def test_hpas_follow_what_is_served(scene: Scene) -> None:
    reach("before", dict.fromkeys((scene.web, scene.stream, scene.jobs, scene.shop), 0.0))
    strangers_are_refused(scene)
    load_comes(scene)
    peak = reach("load", loaded(scene))
    comes_to_rest(scene)
    an_adapter_dies(scene)
    for group in (CUSTOM, EXTERNAL):
        assert HPA in scene.plane.askers(group)
    prometheus_dies(scene)
    reach("recovered", loaded(scene) | {scene.shop: FLOOR})
    comes_to_rest(scene)
    load_goes(scene, peak)
    assert scene.tidecast.stop(signal.SIGINT) == 0, scene.tidecast.tail()


def strangers_are_refused(scene: Scene) -> None:
    """Who does not come through the aggregator gets nothing, whatever the headers say; nor does one without a role."""
    direct = scene.tidecast.ask_directly(scene.web.path, {"X-Remote-User": "system:kube-aggregator"})
    assert direct.status == 403, direct
    nobody = scene.web.kube.as_service_account(workloads.NAMESPACE, "default")
    with pytest.raises(KubeError, match=r"403: .* cannot get resource"):
        nobody.get(scene.web.path)


def load_comes(scene: Scene) -> None:
    scene.pages.rate, scene.bulk.rate, scene.workers.rate = PAGES, BULK, 1
    scene.add_jobs(JOBS)


def loaded(scene: Scene) -> dict[Followed, float]:
    """What the numbers must come to under load; a tenth may be lost to timing, and some jobs get done."""
    return {
        scene.web: 0.9 * (PAGES + BULK) / 40,
        scene.stream: 0.9 * BULK * 100_000,
        scene.jobs: 0.7 * JOBS,
    }


def an_adapter_dies(scene: Scene) -> None:
    """Of two: no HPA misses it, but for a turn whose connection broke."""
    if not isinstance(scene.tidecast, TwoAdapters):
        return
    dead, begun = scene.tidecast.adapters[0], time.monotonic()
    worked = dict.fromkeys((scene.web, scene.stream, scene.jobs, scene.shop), begun)
    sizes = {one: one.replicas() for one in worked}
    dead.stop(signal.SIGKILL)

    def watched() -> bool:
        now = time.monotonic()
        worked.update({one: now for one in worked if one.active()})
        assert all(now - moment <= SYNC_S for moment in worked.values()), worked
        return now - begun > ALONE_S

    until("HPAs have worked with the other alone", watched, 2 * ALONE_S, POLL_S)
    assert {one: one.replicas() for one in worked} == sizes
    dead.start()


def prometheus_dies(scene: Scene) -> None:
    """HPAs keep their size and quote us; a floor needs no Prometheus; Kafka's numbers go on."""
    kept = {one: one.replicas() for one in (scene.web, scene.stream)}
    scene.prometheus.stop(signal.SIGKILL)
    an_event_says_why(scene.web, "FailedGetObjectMetric")
    an_event_says_why(scene.stream, "FailedGetPodsMetric")
    the_floor_holds(scene.shop)
    assert scene.jobs.active()
    assert {one: one.replicas() for one in kept} == kept
    assert not any(one.active() for one in kept)
    prometheus_returns(scene, kept)


def prometheus_returns(scene: Scene, kept: Mapping[Followed, int]) -> None:
    """Its rate() is too small until its range is full of samples again: nobody may be scaled down by that."""
    begun = time.monotonic()
    scene.prometheus.start()
    requests = by_object(scene.web.kube, "web", "qps", 1)

    def back() -> bool:
        assert all(one.replicas() >= size for one, size in kept.items())
        works = all(one.active() for one in (*kept, scene.shop))
        return works and requests.value() > 0.9 * (PAGES + BULK)

    until("all HPAs work and the measured load is back", back, 30, POLL_S)
    note(f"recovered: all HPAs work again, {time.monotonic() - begun:.1f} s")


def an_event_says_why(one: Followed, reason: str) -> None:
    begun = time.monotonic()
    message = until(f"{one.name} is not served", lambda: refusal(one), 30, POLL_S)
    quoted = f"a {reason} event of {one.name} that quotes: {message}"
    until(quoted, lambda: any(message in event for event in one.events(reason)), 30, POLL_S)
    note(f"outage: {one.name} {reason}, {time.monotonic() - begun:.1f} s: {message}")


def the_floor_holds(shop: Followed) -> None:
    """With one metric missing the HPA scales up to what the other says, and never down."""
    begun = time.monotonic()
    shop.set_replicas(1)
    until("the schedule's floor", lambda: shop.settled() == FLOOR, 30, POLL_S)
    note(f"outage: {shop.name} 1 -> {FLOOR} by replicas_schedule, {time.monotonic() - begun:.1f} s")
    shop.set_replicas(FLOOR + 2)
    until("a scale-down is refused", lambda: shop.active() is False, 30, POLL_S)
    assert shop.replicas() == FLOOR + 2


def comes_to_rest(scene: Scene) -> None:
    """Waits until what a change has at its peak left rates and window: before that, a size may rise or fall with it."""
    scene.workers.rate = 0
    followed = (scene.web, scene.stream, scene.jobs)
    sizes, since = [0 for _ in followed], time.monotonic()

    def at_rest() -> bool:
        nonlocal sizes, since
        seen = [one.replicas() for one in followed]
        if seen != sizes:
            sizes, since = seen, time.monotonic()
        return time.monotonic() - since > LASTING_S

    until(f"sizes that last for {LASTING_S} s", at_rest, 90, POLL_S)
    note(f"at rest: {', '.join(f'{one.name} {size}' for one, size in zip(followed, sizes, strict=True))}")


def load_goes(scene: Scene, peak: dict[Followed, float]) -> None:
    """Down by the policy's window and share, each HPA as its number falls."""
    scene.pages.rate, scene.bulk.rate, scene.workers.rate = 10, 0, 300
    for one, history in descend("gone", {one: value / 4 for one, value in peak.items()}).items():
        begun_s = first_less_s(history)
        assert begun_s > policies.WINDOW_S - 2 * policies.TICK_S, one.name
        assert largest_loss(history, policies.PERIOD_S - policies.TICK_S) <= LARGEST_LOSS, one.name
        coming_down = [look for look in history if look.at_s >= begun_s]
        assert all(look.replicas >= least_implied(one, history, look.at_s) for look in coming_down), one.name


def least_implied(one: Followed, history: list[Seen], at_s: float) -> int:
    """By what was served since the HPA's last turn: a number that rises on its way down is followed at the next."""
    return min(one.implied(look.value) for look in history if at_s - SYNC_S <= look.at_s <= at_s)


def refusal(one: Followed) -> str | None:
    """The adapter's message when it serves no number."""
    try:
        one.value()
    except KubeError as error:
        return error.message
    return None
