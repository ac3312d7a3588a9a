"""A run of tidecast whose load a test sets and whose number a real HPA follows; then its log told anew, and what came of it."""

import itertools
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from adapter.autoscaler.live import LiveHpa
from adapter.autoscaler.specification import spec_of
from adapter.configuration.load import read_configuration
from adapter.hpa.controller import Controller
from adapter.hpa.observation import Observation, Scale
from adapter.hpa.reconcile import reconcile
from adapter.hpa.state import State
from adapter.replay.readings import served
from adapter.replay.recorded import differences, retold
from cme.core.documents import parse_document
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.log.embedded import EmbeddedLog
from cme.log.reading import batches_behind
from predictor.decide.rules import REPLICAS
from tests.e2e import policies, workloads
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import Followed, by_object
from tests.e2e.told import Told, told

NAME, PER_REPLICA, LOAD = "recorded", 100.0, 300.0
METRIC = workloads.object_metric(NAME, "replicas_scaling", "1")
HPA = workloads.hpa(NAME, [METRIC])
KEPT_MS = 1000 * policies.TICK_S * 4
"""For so long at most a number is served, and so much later at most a change of size is seen."""


class Found(NamedTuple):
    decisions: int
    differing: list[str]
    """Columns, by time."""
    changes: int
    unexplained: list[str]
    """Changes of size that the HPA's model makes of none of the numbers that were served then."""


@contextmanager
def recorded(plane: ControlPlane, folder: Path) -> Iterator[tuple[Told, Followed]]:
    """While it runs; afterwards its log is in `folder`."""
    kube, deployment = plane.kube, workloads.deployment(NAME)
    for manifest in (workloads.namespace(), deployment):
        kube.apply(manifest)
    with told([NAME], LOAD) as source:
        document = policies.policy(NAME, "qps", source.source(NAME), f"{PER_REPLICA:g}")
        with Tidecast(folder, plane, policies.settings(), [document], given=True):
            kube.apply(HPA)
            yield source, by_object(kube, NAME, "replicas_scaling", 1)
            kube.delete(kube.path(HPA))
    kube.delete(kube.path(deployment))


def compared(folder: Path) -> Found:
    """What its log says, told anew, beside what was recorded. Raises LogFailed."""
    configuration = read_configuration(folder / "tidecast.yaml", {})
    (policy,) = configuration.policies
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    log = EmbeddedLog.open(configuration.settings.data, writable=False)
    try:
        differing, numbers = [], []
        for one in retold(log, configuration.settings, copy):
            differing += [f"{one.recorded.time_ms}: {name}" for name in differences(one)]
            row = one.made.series.tolist().index(SeriesKey(policy.workload, REPLICAS).id)
            numbers.append((one.made.time_ms, float(one.made.numbers("value")[row])))
        sizes = list(_sizes(log, policy))
    finally:
        log.close()
    changes = [(*before, *after) for before, after in itertools.pairwise(sizes) if before[1] != after[1]]
    unexplained = [
        f"{then}: {size} to {new}, served {_served(numbers, since, then)}"
        for since, size, then, new in changes
        if new not in _made(size, _served(numbers, since, then))
    ]
    return Found(len(numbers), differing, len(changes), unexplained)


def _sizes(log: EmbeddedLog, policy: ScalingPolicy) -> Iterator[tuple[int, int]]:
    series = SeriesKey(policy.workload, REPLICAS).id
    for batch in batches_behind(log, ["replicas"], {}):
        if series in batch.series.tolist():
            yield batch.time_ms, int(batch.numbers("wanted")[0])


def _served(numbers: Iterable[tuple[int, float]], since_ms: int, until_ms: int) -> list[float]:
    return [value for time, value in numbers if since_ms - KEPT_MS <= time <= until_ms]


def _made(size: int, numbers: Iterable[float]) -> set[int | None]:
    """What the HPA makes of each number: it has no memory that matters, as it follows at once."""
    spec = spec_of(parse_document(LiveHpa, HPA, NAME))
    scale = Scale(size, size)
    return {
        reconcile(Controller("1.36"), spec, State(), Observation(scale, (served(number),)), 0).desired
        for number in numbers
    }
