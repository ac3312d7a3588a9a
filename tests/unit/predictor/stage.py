"""A stage for the predictor: a manual clock, a real log, and a collector that writes the loads of a story."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from cme.collector.records import describe, samples_batch
from cme.collector.rollup import Bucket, Rollups, rollup_batch
from cme.collector.sampling import Sampled
from cme.core.batch import Batch, Column, series_ids
from cme.core.clock import ManualClock
from cme.core.documents import parse_document
from cme.core.durations import HOUR_MS, MINUTE_MS
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.core.readings import Flag, Total
from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Log
from cme.log.reading import batches_behind
from cme.policies.standing import Standing
from cme.runtime.telemetry import PredictorTelemetry
from predictor.runner import Predictor

START = 500_000 * HOUR_MS
TICK = 15_000
NAN = float("nan")
Story = Callable[[int], float]
"""The load at a moment, milliseconds since START."""


def policy(name: str = "web", *signals: str, **spec: Any) -> ScalingPolicy:
    """Of a Deployment of the same name; one signal, qps, unless others are named."""
    whole = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "signals": [{"name": s, "source": {"x": {}}, "perReplica": 100} for s in signals or ("qps",)],
        "scaleDown": {"window": "10m", "maxDecrease": "10%/1m"},
    } | spec
    document = {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": whole,
    }
    return parse_document(ScalingPolicy, document, name)


def minute(end_ms: int, **means: float) -> Batch:
    """A minute's record of series `s1`, `s2` ...; the maximum is ten more than the mean."""
    buckets = [Bucket(mean, mean + 10, mean, end_ms, 1) for mean in means.values()]
    return rollup_batch("minutes", end_ms, [int(name[1:]) for name in means], buckets)


class Stage:
    """All that outlives a restart of the predictor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "log"
        self.clock = ManualClock(START)
        self.log = EmbeddedLog.open(self.folder, writable=True)
        self.registry = CollectorRegistry()
        self._rollups = Rollups()

    def new_registry(self) -> CollectorRegistry:
        self.registry = CollectorRegistry()
        return self.registry

    def describe(self, *policies: ScalingPolicy) -> None:
        self.policies = policies
        self.log.append(describe(map(Standing.valid, policies), self.clock.now_ms()))

    def withdraw(self, of: ScalingPolicy, text: str = "") -> None:
        self.log.append(
            [Batch("policies", self.clock.now_ms(), series_ids([1]), {"document": (text,)}, of.key)]
        )

    def past(self, story: Story, minutes: int) -> None:
        """Minutes before START, of every signal."""
        ends = [START - MINUTE_MS * ago for ago in reversed(range(minutes))]
        series = [p.series(s).id for p in self.policies for s in p.spec.signals]
        batches = []
        for end in ends:
            load = story(end - START)
            batches.append(
                rollup_batch("minutes", end, series, [Bucket(load, load, load, end, 1)] * len(series))
            )
        self.log.append(batches)

    def process(self, log: Log | None = None, **settings: Any) -> Predictor:
        """A predictor of a new process, not started yet."""
        self.registry = CollectorRegistry()
        whole = Settings.model_validate({"tick": "15s", **settings})
        telemetry = PredictorTelemetry(self.registry)
        return Predictor(log or self.log, self.clock, whole, telemetry, self.folder)

    def started(self, log: Log | None = None, **settings: Any) -> Predictor:
        predictor = self.process(log, **settings)
        predictor.start()
        return predictor

    def sample(self, story: Story) -> None:
        """A tick of the collector, of every signal; NaN is a source that fails."""
        self.clock.advance(TICK)
        now = self.clock.now_ms()
        load = story(now - START)
        keys = [SeriesKey(p.workload, s.name) for p in self.policies for s in p.spec.signals]
        known = load == load
        total = Total(load, now, 1.0, Flag.NONE) if known else None
        for key in keys:
            if known:
                self._rollups.add(key.id, now, load)
        sampled = Sampled(total, "" if known else "down", ())
        samples = samples_batch(now, 1, [(key, sampled) for key in keys])
        self.log.append([samples, *self._rollups.close(now)])

    async def run(self, predictor: Predictor, story: Story, ticks: int) -> None:
        for _ in range(ticks):
            self.sample(story)
            await predictor.turn()

    def batches(self, topic: str) -> list[Batch]:
        return list(batches_behind(self.log, [topic], {}))

    def decisions(self, column: str, of: ScalingPolicy, signal: str = "qps") -> list[tuple[int, float]]:
        """Time since START and a column of a signal's decisions; of the workload's own for `replicas`."""
        series = SeriesKey(of.workload, signal).id
        return [
            (batch.time_ms - START, float(batch.numbers(column)[batch.series.tolist().index(series)]))
            for batch in self.batches("decisions")
            if series in batch.series.tolist()
        ]

    def metric(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"tidecast_{name}")

    def replicas(self, of: ScalingPolicy, wanted: float, ready: int = 0) -> None:
        """What the cluster says of the workload's size."""
        series = series_ids([SeriesKey(of.workload, "replicas").id])
        pods = json.dumps({"labels": [{}], "pods": [[f"p{number}", 0] for number in range(ready)]})
        columns: dict[str, Column] = {"wanted": np.array([wanted]), "pods": (pods,)}
        self.log.append([Batch("replicas", self.clock.now_ms(), series, columns)])
