"""The stage: two routed adapters, an HPA for each way to ask, and a load of requests beside those of the HPAs."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e import policies, workloads
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.waiting import until
from tests.e2e.followed import Followed, by_external, by_object, by_pods
from tests.e2e.routing.adapters import RoutedAdapters
from tests.e2e.serving.asking import RIGHT, Asker
from tests.e2e.serving.stage import LOAD, METRICS, PER_REPLICA
from tests.e2e.told import Told, told

STALE_AFTER = "30s"
"""Longer than the log's side is down: how old numbers may be is not what these tests are about."""
ASKERS = 2
TIMEOUT_S = 60


@dataclass(frozen=True)
class Stage:
    plane: ControlPlane
    tidecast: RoutedAdapters
    told: Told
    hpas: Sequence[Followed]
    askers: Sequence[Asker]
    since: float = field(default_factory=time.time)
    """When all HPAs worked, in seconds of the wall clock: from here on nothing may fail."""

    def tell_more(self) -> None:
        self.told.tell(self.told.load + LOAD)

    def settle(self) -> None:
        """Wait until every HPA has made of the load that is told the size that it implies."""
        sizes = [one.implied(self.told.load) for one in self.hpas]
        until(f"HPAs are at {sizes}", lambda: [one.settled() for one in self.hpas] == sizes, TIMEOUT_S)
        until("all HPAs work", lambda: all(one.active() for one in self.hpas), TIMEOUT_S)

    @property
    def answers(self) -> Counter[str]:
        """To our own load, by kind."""
        return sum((one.answers.copy() for one in self.askers), Counter())

    @property
    def refusals(self) -> Counter[str]:
        """What was said instead of a number."""
        return sum((one.refusals.copy() for one in self.askers), Counter())

    def wait_for_answers(self, count: int) -> None:
        """So many more right ones."""
        enough = self.answers[RIGHT] + count
        until(f"{count} more answers", lambda: self.answers[RIGHT] >= enough, TIMEOUT_S)


@contextmanager
def stage(folder: Path, plane: ControlPlane, hosts: Sequence[str]) -> Iterator[Stage]:
    """With all HPAs at the size that the load implies. Raises ComponentFailed, KubeError, TimeoutError."""
    settings = policies.settings() | {"staleAfter": STALE_AFTER}
    for manifest in (workloads.namespace(), *map(workloads.deployment, METRICS)):
        plane.kube.apply(manifest)
    with told(list(METRICS), LOAD) as source:
        documents = [policies.policy(name, "qps", source.source(name), PER_REPLICA) for name in METRICS]
        with RoutedAdapters(folder, plane, settings, documents, hosts) as tidecast:
            hpas = [by_object(plane.kube, name, "qps", float(PER_REPLICA)) for name in METRICS]
            for name, metric in METRICS.items():
                plane.kube.apply(workloads.hpa(name, [metric]))
            made = Stage(plane, tidecast, source, hpas, [])
            made.settle()
            ways = (by_object, by_external, by_pods)
            paths = [way(plane.kube, name, "qps_scaling", 1).path for name in METRICS for way in ways]
            with _asking(plane, paths, source) as askers:
                yield Stage(plane, tidecast, source, hpas, askers)


@contextmanager
def _asking(plane: ControlPlane, paths: Sequence[str], source: Told) -> Iterator[Sequence[Asker]]:
    """Through the aggregator, for as long as the block lasts."""
    api = urlsplit(plane.kube.address).netloc
    askers = [Asker(api, plane.kube.context, {}, paths, source) for _ in range(ASKERS)]
    ending = threading.Event()
    threads = [threading.Thread(target=one.run, args=[ending]) for one in askers]
    for thread in threads:
        thread.start()
    try:
        yield askers
    finally:
        ending.set()
        for thread in threads:
            thread.join()
