"""The syncs of some contenders, one after the other, all over the same past."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from adapter.hpa.reconcile import Step
from adapter.replay.chain import Chain
from adapter.replay.cluster import Cluster, Site
from adapter.replay.contender import Contender
from adapter.replay.past import Past
from adapter.replay.readings import Measurements, Place, reader
from adapter.replay.run import Run
from cme.core.durations import SECOND_MS
from cme.core.progress import Progress, silent
from predictor.decide.chain import Decisions
from predictor.decide.rules import Doubles

SYNC_MS = 15 * SECOND_MS
"""--horizontal-pod-autoscaler-sync-period of the kube-controller-manager by default."""


class Sync(NamedTuple):
    """One that is done: what its contenders were told, and what they did, in their order."""

    now_ms: int
    decided: Decisions | None
    predicted: Doubles | None
    """[signal row]"""
    runs: Sequence[Run]
    steps: Sequence[Step | None]


Watch = Callable[[Sync], None]


def simulate(
    contenders: Sequence[Contender],
    past: Past,
    site: Site,
    since_ms: int,
    until_ms: int,
    progress: Progress = silent,
    sync_ms: int = SYNC_MS,
    watch: Watch = lambda sync: None,
) -> list[Run]:
    """From `since_ms` on, before `until_ms`; in the order of the contenders."""
    times_ms = np.arange(since_ms, until_ms, sync_ms)
    measurements = Measurements(past, times_ms)
    deciding = [one for one in contenders if one.decides]
    places = iter(_places(deciding))
    runs = [
        _begun(one, next(places) if one.decides else Place(), measurements, site, since_ms)
        for one in contenders
    ]
    asking = [run for run in runs if run.contender.decides]
    chain = Chain([one.policy for one in deciding], past, times_ms) if deciding else None
    queues = chain is not None and bool(chain.rules.backlog.any())
    for sync, now_ms in enumerate(times_ms.tolist()):
        for run in runs:
            run.advance(sync, now_ms, past, measurements)
        decided = (
            chain.decide(sync, _wanted(asking), _backlogs(asking) if queues else None) if chain else None
        )
        predicted = chain.predicted(sync) if chain else None
        steps = [run.sync(sync, now_ms, decided, predicted) for run in runs]
        watch(Sync(now_ms, decided, predicted, runs, steps))
        if sync % 1000 == 0:
            progress(sync, len(times_ms))
    for run in runs:
        run.cluster.advance(until_ms)
    progress(len(times_ms), len(times_ms))
    return runs


def _begun(contender: Contender, place: Place, measurements: Measurements, site: Site, since_ms: int) -> Run:
    """With as many replicas as its policy's signals call for at the start, unless it says how many."""
    replicas = contender.replicas
    if replicas is None:
        needs = [measurements.value(one.name, 0) / one.per_replica for one in contender.policy.spec.rates]
        replicas = max(1, math.ceil(np.nan_to_num(max(needs))))
    metrics = contender.autoscaler.metrics if contender.autoscaler else ()
    reads = [reader(metric, contender, measurements, place) for metric in metrics]
    return Run(contender, Cluster(site, replicas, since_ms), reads, since_ms)


def _places(deciding: Sequence[Contender]) -> list[Place]:
    """In the rows that `compile_rules` makes of their policies."""
    counts = [len(one.policy.spec.signals) for one in deciding]
    return [Place(row, sum(counts[:row])) for row in range(len(deciding))]


def _wanted(asking: Sequence[Run]) -> Doubles:
    return np.array([run.wanted for run in asking], dtype=float)


def _backlogs(asking: Sequence[Run]) -> Doubles:
    """[signal row]; NaN for signals that are none."""
    signals = ((run, signal.name) for run in asking for signal in run.contender.policy.spec.signals)
    return np.array([run.backlog.get(name, np.nan) for run, name in signals])
