"""What runs, as the cluster says it: replicas wanted, and pods that take load, of every workload with a policy."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import numpy as np

from cme.core.batch import Batch, Column, series_ids
from cme.core.clock import Clock
from cme.core.durations import MINUTE_MS
from cme.core.errors import KubeFailed
from cme.core.identity import SeriesKey, plural_of
from cme.core.policy import ScalingPolicy
from cme.log.protocol import Log
from cme.runtime.telemetry import CollectorTelemetry

log = logging.getLogger("tidecast.collector")

REPEATED_MS = MINUTE_MS
"""An unchanged state is written again after this, so that its age in the log tells whether the cluster answers."""

Json = Mapping[str, Any]


class Cluster(Protocol):
    def get(self, path: str) -> Json:
        """The JSON at a path of the API server. Raises KubeFailed."""


class Replicas:
    """Owner of the topic replicas."""

    def __init__(
        self,
        cluster: Cluster,
        log_: Log,
        clock: Clock,
        telemetry: CollectorTelemetry,
    ) -> None:
        self._cluster, self._log, self._clock, self._telemetry = cluster, log_, clock, telemetry
        self._policies: Sequence[ScalingPolicy] = ()
        self._written: dict[int, tuple[float, str, int]] = {}  # workload's id -> wanted, pods, time
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
        due = {series: (*state, now) for series, state in told.items() if self._due(series, state, now)}
        if due:
            self._log.append([_batch(series, *state) for series, state in due.items()])
            self._written |= due

    def _due(self, series: int, state: tuple[float, str], now: int) -> bool:
        known = self._written.get(series)
        return known is None or known[:2] != state or now - known[2] >= REPEATED_MS

    def _ask(self, policy: ScalingPolicy) -> tuple[int, tuple[float, str] | None]:
        """The workload's id and its state; None while the cluster does not tell, logged when that begins."""
        series = SeriesKey(policy.workload, "replicas").id
        try:
            state = self._state(policy)
        except KubeFailed as error:
            if self._problems.get(series) != str(error):
                log.warning("replicas of %s: %s", policy.workload, error)
            self._problems[series] = str(error)
            self._telemetry.replicas_failed.inc()
            return series, None
        self._problems.pop(series, None)
        return series, state

    def _state(self, policy: ScalingPolicy) -> tuple[float, str]:
        scale = self._cluster.get(scale_path(policy))
        selector = str((scale.get("status") or {}).get("selector") or "")
        if not selector:
            raise KubeFailed(f"{scale_path(policy)} names no selector of pods")
        pods = self._cluster.get(
            f"/api/v1/namespaces/{policy.metadata.namespace}/pods?labelSelector={quote(selector)}"
        )
        wanted = float((scale.get("spec") or {}).get("replicas") or 0)
        return wanted, pods_text(pods.get("items") or ())


def scale_path(policy: ScalingPolicy) -> str:
    """Of the scale subresource, which every kind that an HPA can scale has."""
    ref = policy.spec.target_ref
    root = f"/apis/{ref.api_version}" if ref.group else f"/api/{ref.api_version}"
    return f"{root}/namespaces/{policy.metadata.namespace}/{plural_of(ref.kind)}/{ref.name}/scale"


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


def _batch(series: int, wanted: float, pods: str, now: int) -> Batch:
    columns: dict[str, Column] = {"wanted": np.array([wanted]), "pods": (pods,)}
    return Batch("replicas", now, series_ids([series]), columns, key=f"{series:016x}")
