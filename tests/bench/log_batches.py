"""What a fleet writes to each topic of the log at a time, made by those who write it."""

import json
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cme.collector.records import describe, samples_batch
from cme.collector.replicas import State, as_batch, pods_text
from cme.collector.rollup import Bucket, rollup_batch
from cme.collector.sampling import Sampled
from cme.core.batch import Batch, series_ids
from cme.core.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from cme.core.readings import Flag, Total
from cme.core.replica_record import Startup
from cme.policies.standing import Standing
from predictor import decomposer
from predictor.decide.chain import decide
from predictor.decide.measured import Limits
from predictor.decide.rules import compile_rules
from predictor.decide.slow import SlowScaleDown
from predictor.engine import Engine, Forecast
from predictor.grid import L, Q, T
from predictor.models.parts import parts_of
from predictor.picture import Picture
from predictor.prior import prior_batch
from predictor.records import decision_batch, forecast_batches, history_batch, trust_batches
from predictor.trust.record import FIGURES, Day
from tests.bench.fleet import policies

TICK_MS = 5 * SECOND_MS
LIMITS = Limits(signal_stale_ms=60 * SECOND_MS, forecast_stale_ms=3 * MINUTE_MS)
SAMPLES = {MINUTE_MS: 12, HOUR_MS: 720}
PODS = 3
DECOMPOSED = 3
"""Series whose parts are computed; the others have the same text, whose length hardly differs."""


class Fleet:
    """So many workloads, each with signals of these names. Numbers are drawn, each by itself; what a record that is packed takes
    depends on them."""

    def __init__(self, workloads: int, signals: Sequence[str]) -> None:
        self._policies = list(policies(workloads, signals))
        self._keys = [p.series(s) for p in self._policies for s in p.spec.signals]
        self._ids = series_ids([key.id for key in self._keys])
        self._rules = compile_rules(self._policies)
        self._slow, self._picture = SlowScaleDown(self._rules), Picture()
        self._draws, self._pool = np.random.default_rng(1), Engine().pool
        self.turns: Mapping[str, Callable[[int], list[Batch]]] = {
            "series": lambda now: [one for one in self._described(now) if one.topic == "series"],
            "policies": lambda now: [one for one in self._described(now) if one.topic == "policies"],
            "replicas": self._replicas,
            "samples": lambda now: [self._samples(now)],
            "minutes": lambda now: [self._period("minutes", now, MINUTE_MS)],
            "hours": lambda now: [self._period("hours", now, HOUR_MS)],
            "forecasts": lambda now: forecast_batches(now, self._ids, self._forecast()),
            "forecast_history": lambda now: [history_batch(now, self._ids, self._forecast())],
            "decisions": lambda now: [self._decisions(now)],
            "decompositions": self._decompositions,
            "trust": self._trust,
            "prior": lambda now: [prior_batch(now, self._pool)],
        }
        """By topic what one turn of its owner writes at a time in milliseconds."""

    @property
    def series(self) -> int:
        return len(self._keys)

    def _described(self, now_ms: int) -> list[Batch]:
        return describe(map(Standing.valid, self._policies), now_ms)

    def _loads(self) -> list[float]:
        return [float(load) for load in self._draws.lognormal(5, 1, self.series)]

    def _samples(self, now_ms: int) -> Batch:
        totals = [Total(load, now_ms - SECOND_MS, 1, Flag.NONE) for load in self._loads()]
        rows = [(key, Sampled(one, "", ())) for key, one in zip(self._keys, totals, strict=True)]
        return samples_batch(now_ms, 1, rows)

    def _period(self, topic: str, end_ms: int, period_ms: int) -> Batch:
        count = SAMPLES[period_ms]
        buckets = [Bucket(count * load, 1.1 * load, load, end_ms, count) for load in self._loads()]
        return rollup_batch(topic, end_ms, [key.id for key in self._keys], buckets)

    def _replicas(self, now_ms: int) -> list[Batch]:
        return [
            as_batch(int(series), _state(policy.metadata.name), now_ms)
            for series, policy in zip(self._rules.replica_ids, self._policies, strict=True)
        ]

    def _forecast(self) -> Forecast:
        loads = self._draws.lognormal(5, 1, (T, L, Q, self.series)).astype(np.float32)
        nothing = np.zeros(self.series, dtype=np.uint32)
        return Forecast(loads, nothing, nothing, np.zeros(self.series, dtype=np.int64))

    def _decisions(self, now_ms: int) -> Batch:
        self._picture.take_samples(self._samples(now_ms))
        self._picture.take_forecast(self._ids, self._forecast(), now_ms)
        unknown = np.full(self.series, np.nan)
        samples, soon = self._picture.samples(self._rules), np.full((Q, self.series), np.nan)
        measured = self._picture.measured(self._rules, samples, soon, unknown)
        running = self._picture.running(self._rules, now_ms)
        decisions = decide(self._rules, self._slow, measured, running, LIMITS, now_ms)
        return decision_batch(now_ms, self._rules, measured, decisions)

    def _decompositions(self, now_ms: int) -> list[Batch]:
        hours = np.arange(decomposer.HOURS)
        tide = 100 + 50 * np.sin(2 * np.pi * hours / 24)
        loads = (tide * self._draws.lognormal(0, 0.1, (DECOMPOSED, len(hours)))).tolist()
        parts = [parts_of(now_ms // HOUR_MS * HOUR_MS, np.array(load)) for load in loads]
        found = [parts[number % DECOMPOSED] for number in range(self.series)]
        return decomposer.batches_of(now_ms, self._ids, found)

    def _trust(self, now_ms: int) -> list[Batch]:
        figures = (self._draws.lognormal(0, 1, (T * L, self.series)).astype(np.float32) for _ in FIGURES)
        return trust_batches(now_ms, self._ids, Day(*figures), np.zeros(self.series, dtype=np.uint32))


def _state(name: str) -> State:
    """Of a Deployment whose pods have the labels that its controller and its owner give."""
    labels = {"app.kubernetes.io/name": name, "pod-template-hash": "5d9c7b8f6d"}
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    pods = [
        {"metadata": {"name": f"{name}-5d9c7b8f6d-{number:05d}", "labels": labels}, "status": status}
        for number in range(PODS)
    ]
    own = json.dumps({"app.kubernetes.io/name": name})
    return State("deployments", PODS, pods_text(pods), math.inf, 60_000, Startup(30_000, 12), own)
