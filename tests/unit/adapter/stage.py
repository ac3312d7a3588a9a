"""A stage for the adapter: a manual clock, and a view that is fed what the collector and the predictor write."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adapter.answers import Answers, NotServed, Served
from adapter.catalog import Entry
from adapter.running import RunningPods
from adapter.view import View
from cme.collector.records import describe, samples_batch
from cme.collector.replicas import pods_text
from cme.collector.sampling import Sampled
from cme.core.batch import Batch, Column, series_ids
from cme.core.clock import ManualClock
from cme.core.documents import parse_document
from cme.core.durations import HOUR_MS
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.core.readings import Flag, Total
from cme.core.settings import Settings
from cme.policies.standing import Standing
from predictor.decide.chain import decide
from predictor.decide.measured import Limits
from predictor.decide.rules import compile_rules
from predictor.decide.slow import SlowScaleDown
from predictor.engine import Forecast
from predictor.grid import L, Q, T
from predictor.picture import Picture
from predictor.records import decision_batch

NOW = 500_000 * HOUR_MS + 1_000  # 2027-01-15T08:00:01Z
NAN = float("nan")


def policy(name: str = "web", namespace: str = "shop", **spec: Any) -> ScalingPolicy:
    """Of a Deployment of the same name with the signals qps and queue_backlog, unless `spec` says otherwise."""
    signals = [
        {"name": "qps", "source": {"x": {}}, "perReplica": 100},
        {"name": "queue_backlog", "source": {"x": {}}, "perReplica": 40},
    ]
    whole = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "signals": signals,
        "scaleDown": {"window": "0s"},
    } | spec
    document = {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": whole,
    }
    return parse_document(ScalingPolicy, document, name)


class Stage:
    """What the adapter sees of some workloads."""

    def __init__(self, *policies: ScalingPolicy, now_ms: int = NOW) -> None:
        self.clock, self.settings = ManualClock(now_ms), Settings()
        self.view = View(self.clock)
        self.answers = Answers(self.view, self.settings, None)
        self.view.ready = True
        self._picture = Picture()
        self._limits = Limits(self.settings.signal_stale_ms, self.settings.forecast_stale_after)
        self.describe(*policies)

    def describe(self, *policies: ScalingPolicy) -> None:
        """What the collector writes at its start."""
        self.policies = policies
        self._rules = compile_rules(policies)
        self._slow = SlowScaleDown(self._rules)
        self.drain = np.full(len(self._rules.signal_ids), NAN)
        self.view.take(describe(map(Standing.valid, policies), self.clock.now_ms()))

    def withdraw(self, of: ScalingPolicy, text: str = "") -> None:
        self.view.take(
            [Batch("policies", self.clock.now_ms(), series_ids([1]), {"document": (text,)}, of.key)]
        )

    def measure(self, of: ScalingPolicy, epoch: int = 1, age: int = 0, **values: float | str) -> None:
        """A tick of the collector: a load for each signal, or the text of its problem."""
        now = self.clock.now_ms()
        rows = [(SeriesKey(of.workload, name), sampled(value, now - age)) for name, value in values.items()]
        batch = samples_batch(now, epoch, rows)
        self._picture.take_samples(batch)
        self.view.take([batch])

    def forecast(self, **values: float) -> None:
        """A forecast by the predictor, the same for all leads and quantiles, for the first policy."""
        keys = [SeriesKey(self.policies[0].workload, name) for name in values]
        grid = np.broadcast_to(np.array(list(values.values()), dtype=np.float32), (T, L, Q, len(values)))
        none = np.zeros(len(values), dtype=np.uint32)
        made = Forecast(grid, none, none, none.astype(np.int64))
        self._picture.take_forecast(series_ids([key.id for key in keys]), made, self.clock.now_ms())

    def decide(self) -> Batch:
        """A tick of the predictor, over all policies."""
        now = self.clock.now_ms()
        samples, unsaid = self._picture.samples(self._rules), np.full((Q, len(self.drain)), np.nan)
        measured = self._picture.measured(self._rules, samples, unsaid, self.drain)
        running = self._picture.running(self._rules, now)
        decisions = decide(self._rules, self._slow, measured, running, self._limits, now)
        batch = decision_batch(now, self._rules, measured, decisions)
        self.view.take([batch])
        return batch

    def run(
        self, of: ScalingPolicy, *pods: str, own: Mapping[str, str] | None = None, **labels: str
    ) -> Batch:
        """What the cluster says of the pods that take load, and of one more that does not. `own` are the workload's labels."""
        told = [pod(name, labels) for name in pods] + [pod("web-starting", labels, ready="False")]
        series = SeriesKey(of.workload, "replicas").id
        columns: dict[str, Column] = {"wanted": np.array([float(len(pods))]), "pods": (pods_text(told),)}
        starts = {"lead_ms": 185_000.0, "startup_ms": 45_000.0, "startups": 12.0, "startup_steps": 2.0}
        columns |= {name: np.array([value]) for name, value in starts.items()}
        if own is not None:
            columns["labels"] = (json.dumps(own),)
        batch = Batch("replicas", self.clock.now_ms(), series_ids([series]), columns, key=f"{series:016x}")
        self._picture.take_replicas(batch)
        self.view.take([batch])
        return batch

    def watch(self, *pods: str, namespace: str = "shop") -> RunningPods:
        """From now on the cluster tells which pods run: these, until something else is said."""
        running = RunningPods(self.clock)
        named = [{"metadata": {"namespace": namespace, "name": name}} for name in pods]
        running.begin(named, self.clock.monotonic_ms())
        self.answers = Answers(self.view, self.settings, running)
        return running

    def entry(self, of: ScalingPolicy) -> Entry:
        (found,) = [e for e in self.view.catalog.entries if e.workload == of.workload]
        return found

    def served(self, of: ScalingPolicy, metric: str) -> Served:
        return self.answers.metric(self.entry(of), metric)

    def refusal(self, of: ScalingPolicy, metric: str) -> tuple[int, str]:
        """Code and sentence of a metric that has no value to serve."""
        try:
            served = self.served(of, metric)
        except NotServed as error:
            return error.code, str(error)
        raise AssertionError(f"{metric} was served: {served}")


def sampled(value: float | str, time_ms: int) -> Sampled:
    if isinstance(value, str):
        return Sampled(None, value, ())
    return Sampled(Total(value, time_ms, 1.0, Flag.NONE), "", ())


def pod(name: str, labels: Mapping[str, str] | None = None, ready: str = "True") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    }


def ids(of: ScalingPolicy) -> Sequence[int]:
    return [of.series(signal).id for signal in of.spec.signals]


def as_text(of: ScalingPolicy) -> dict[str, Any]:
    """A policy as the document that its record holds, to be changed."""
    document: dict[str, Any] = json.loads(describe([Standing.valid(of)], NOW)[0].texts("document")[0])
    return document
