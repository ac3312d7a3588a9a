"""What runs, as the cluster says it: replicas wanted, and pods that take load, of every workload with a policy."""

import asyncio
import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from cme.collector.labels import Labels
from cme.collector.quota import replicas_within
from cme.collector.resources import Cluster, Resources, root_of
from cme.collector.startups import Startups
from cme.core.batch import Batch, Column, series_ids
from cme.core.clock import Clock
from cme.core.durations import MINUTE_MS
from cme.core.errors import KubeFailed
from cme.core.identity import SeriesKey
from cme.core.policy import SOON_MS, ScalingPolicy
from cme.core.replica_record import Startup, recorded_lead_ms, replica_key
from cme.core.settings import Settings
from cme.log.protocol import Log
from cme.runtime.reflector import Lists
from cme.runtime.telemetry import CollectorTelemetry

log = logging.getLogger("tidecast.collector")

REPEATED_MS = MINUTE_MS
"""An unchanged state is written again after this, so that its age in the log tells whether the cluster answers."""

HPA_SYNC_MS = 15_000
"""The HPA looks so often, unless its cluster is told otherwise."""
FORECAST_MS = MINUTE_MS
"""A forecast is made so often."""

Json = Mapping[str, Any]


class State(NamedTuple):
    """What is written of a workload."""

    resource: str
    wanted: float
    pods: str
    quota: float
    lead_ms: float
    startup: Startup | None
    labels: str | None
    """The workload's own, as JSON; None where they are not known."""


class Replicas:
    """Owner of the topic replicas."""

    def __init__(
        self,
        cluster: Cluster,
        metadata: Lists,
        log_: Log,
        clock: Clock,
        settings: Settings,
        telemetry: CollectorTelemetry,
    ) -> None:
        """`metadata` is the same cluster, but of each object it tells the metadata alone. Raises LogFailed."""
        self._cluster, self._log, self._clock, self._telemetry = cluster, log_, clock, telemetry
        self._settings = settings
        self._resources, self._labels = Resources(cluster, clock), Labels(metadata, clock)
        self._policies: Sequence[ScalingPolicy] = ()
        self._written: dict[int, tuple[State, int]] = {}  # by the workload's id, with the time
        self._quotas: dict[str, tuple[Sequence[Json], int]] = {}  # by namespace, with the monotonic time
        self._startups: dict[int, Startups] = {}
        self._recorded = {int(b.series[0]): recorded_lead_ms(b) for b in log_.newest("replicas")}
        self._problems: dict[int, str] = {}

    def follow(self, policies: Sequence[ScalingPolicy]) -> None:
        """From the next turn on ask for the workloads of these."""
        self._policies = policies

    async def turn(self) -> None:
        """Ask the cluster about every workload and append what changed. Raises LogFailed."""
        await asyncio.to_thread(self._turn)

    def _turn(self) -> None:
        now = self._clock.now_ms()
        told = {series: state for series, state in map(self._ask, self._policies) if state}
        due = {series: (state, now) for series, state in told.items() if self._due(series, state, now)}
        if due:
            self._log.append([as_batch(series, state, now) for series, (state, _) in due.items()])
            self._written |= due

    def _due(self, series: int, state: "State", now: int) -> bool:
        known = self._written.get(series)
        return known is None or known[0] != state or now - known[1] >= REPEATED_MS

    def _ask(self, policy: ScalingPolicy) -> tuple[int, "State | None"]:
        """The workload's id and its state; None while the cluster does not tell, logged when that begins."""
        series = SeriesKey(policy.workload, "replicas").id
        try:
            state = self._state(policy, series)
        except KubeFailed as error:
            if self._problems.get(series) != str(error):
                log.warning("replicas of %s: %s", policy.workload, error)
            self._problems[series] = str(error)
            self._telemetry.replicas_failed.inc()
            return series, None
        self._problems.pop(series, None)
        return series, state

    def _state(self, policy: ScalingPolicy, series: int) -> "State":
        ref = policy.spec.target_ref
        plural = self._resources.plural(ref.api_version, ref.kind)
        collection = f"{root_of(ref.api_version)}/namespaces/{policy.metadata.namespace}/{plural}"
        path = f"{collection}/{ref.name}/scale"
        scale = self._cluster.get(path)
        selector = str((scale.get("status") or {}).get("selector") or "")
        if not selector:
            raise KubeFailed(f"{path} names no selector of pods")
        path = f"/api/v1/namespaces/{policy.metadata.namespace}/pods?labelSelector={quote(selector)}"
        pods = self._cluster.get(path).get("items") or ()
        wanted = float((scale.get("spec") or {}).get("replicas") or 0)
        return State(
            plural,
            wanted,
            pods_text(pods),
            self._quota(policy, pods),
            *self._lead(policy, series, pods, wanted),
            self._labels.of(collection, ref.name),
        )

    def _quota(self, policy: ScalingPolicy, pods: Sequence[Json]) -> float:
        """How many replicas the namespace's quota holds, for a policy that asks. Raises KubeFailed."""
        if policy.spec.limits.quota_share is None:
            return math.nan
        namespace, now = policy.metadata.namespace, self._clock.monotonic_ms()
        quotas, since_ms = self._quotas.get(namespace, ((), -REPEATED_MS))
        if now - since_ms >= REPEATED_MS:
            quotas = self._cluster.get(f"/api/v1/namespaces/{namespace}/resourcequotas").get("items") or ()
            self._quotas[namespace] = quotas, now
        return replicas_within(quotas, pods)

    def _lead(
        self, policy: ScalingPolicy, series: int, pods: Sequence[Json], wanted: float
    ) -> tuple[float, Startup | None]:
        """How long a new replica takes until it carries load, as learnt now or by an earlier run (NaN: not yet): its start,
        behind the reaction to the need."""
        if series not in self._startups:
            self._startups[series] = Startups(ordered=policy.spec.target_ref.kind == "StatefulSet")
        known = self._startups[series]
        known.take(pods, wanted, self._clock.now_ms())
        startup = known.learnt(self._clock.now_ms())
        if startup is None:
            return self._recorded.get(series, math.nan), None
        return lead_ms(startup.duration_ms * startup.steps, self._settings), startup


def lead_ms(startup_ms: float, settings: Settings) -> float:
    """What passes between a need and a new replica that carries load: until the need is in a sample, until the HPA looks, and the
    start itself. The nowcast speaks of every sample; what it does not reach waits for the next forecast, too."""
    lead = startup_ms + HPA_SYNC_MS + settings.tick + settings.rate_window
    return lead if lead <= SOON_MS else lead + FORECAST_MS


def pods_text(pods: Sequence[Json]) -> str:
    """Pods that take load, as JSON: distinct label sets, then (name, number of its set) by name.

    The pods of a workload mostly share their labels: each set is written once.
    """
    sets: dict[str, int] = {}
    named = []
    for pod in sorted(filter(takes_load, pods), key=lambda pod: str(pod["metadata"]["name"])):
        labels = json.dumps(pod["metadata"].get("labels") or {}, sort_keys=True)
        named.append((pod["metadata"]["name"], sets.setdefault(labels, len(sets))))
    return json.dumps({"labels": [json.loads(labels) for labels in sets], "pods": named})


def takes_load(pod: Json) -> bool:
    """Whether a pod is running, ready and not being deleted."""
    status = pod.get("status") or {}
    ready = any(
        c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ()
    )
    return ready and status.get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")


def as_batch(series: int, state: State, now: int) -> Batch:
    """The record of a workload; its columns: cme/log/FORMAT.md."""
    startup = state.startup or Startup(math.nan, 0)
    numbers = {
        "wanted": state.wanted,
        "lead_ms": state.lead_ms,
        "quota": state.quota,
        "startup_ms": startup.duration_ms,
        "startups": float(startup.count),
        "startup_steps": float(startup.steps),
    }
    columns: dict[str, Column] = {name: np.array([value]) for name, value in numbers.items()}
    columns |= {"pods": (state.pods,), "resource": (state.resource,)}
    if state.labels is not None:
        columns["labels"] = (state.labels,)
    return Batch("replicas", now, series_ids([series]), columns, key=replica_key(series))
