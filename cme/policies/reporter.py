"""Tells the writers of policies in the cluster what became of them: the objects' status, and events."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cme.core.clock import Clock
from cme.core.durations import MINUTE_MS, SECOND_MS
from cme.core.errors import KubeFailed
from cme.log.protocol import Log
from cme.policies.decided import Decisions
from cme.policies.objects import API_VERSION, PLURAL, PolicyObject, PolicyObjects
from cme.policies.standing import Origin, Standing
from cme.policies.status import Changes, changes, status
from cme.runtime.telemetry import CollectorTelemetry

log = logging.getLogger("tidecast.policies")

PERIOD_MS = 5 * SECOND_MS
WRITES = 100
"""Objects told of in one period at most: 20 a second, however many policies there are."""
ROUTINE_MS = MINUTE_MS
"""What changes no condition is told at most so often, and what failed is tried again after so long."""

Json = Mapping[str, Any]


class Cluster(Protocol):
    """The client of cme.kube."""

    def merge(self, path: str, body: Json) -> Json:
        """The object at a path after its fields were replaced. Raises KubeFailed."""

    def post(self, path: str, body: Json) -> Json:
        """The new object. Raises KubeFailed."""


@dataclass(slots=True)
class _Told:
    """The newest status of an object, what it followed from, and when it may be told something new."""

    uid: str
    status: Json
    basis: object = None
    routine_after_ms: int = 0
    urgent_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class _News:
    about: PolicyObject
    status: Json
    basis: object
    changes: Changes


class Reporter:
    """Owner of every ScalingPolicy's status."""

    def __init__(
        self,
        cluster: Cluster,
        log_: Log,
        clock: Clock,
        objects: PolicyObjects,
        stale_ms: int,
        telemetry: CollectorTelemetry,
    ) -> None:
        """A decision older than `stale_ms` says nothing of now."""
        self._cluster, self._clock, self._objects, self._telemetry = cluster, clock, objects, telemetry
        self._decisions = Decisions(log_, stale_ms)
        self._standings: Mapping[str, Standing] = {}
        self._told: dict[str, _Told] = {}
        self._problem = ""

    def follow(self, standings: Sequence[Standing]) -> None:
        """From the next turn on these stand."""
        self._standings = {one.key: one for one in standings if one.origin is Origin.CLUSTER}

    async def turn(self) -> None:
        """Tell what is new, changes of conditions first. Raises LogFailed."""
        await asyncio.to_thread(self._turn)

    def _turn(self) -> None:
        self._decisions.follow(self._clock.now_ms())
        objects = [one for one in self._objects.newest if one.key in self._standings]
        self._told = {one.key: self._known(one) for one in objects}
        news = [one for one in map(self._news, objects) if one is not None]
        self._tell(sorted(news, key=lambda n: (not n.changes, self._told[n.about.key].routine_after_ms)))

    def _known(self, one: PolicyObject) -> _Told:
        known = self._told.get(one.key)
        return known if known and known.uid == one.uid else _Told(one.uid, one.status)

    def _news(self, one: PolicyObject) -> _News | None:
        """What is to be told of an object now, None if nothing is or it must wait."""
        standing, told, now = self._standings[one.key], self._told[one.key], self._clock.now_ms()
        decided = self._decisions.of(standing.policy, now) if standing.policy else None
        basis = (one.generation, standing.fate, standing.told, decided and decided.basis)
        if basis == told.basis:
            return None
        made = status(standing, decided, one.generation, told.status, now)
        found = changes(told.status, made)
        after = told.urgent_after_ms if found else told.routine_after_ms
        return _News(one, made, basis, found) if self._clock.monotonic_ms() >= after else None

    def _tell(self, news: Iterable[_News]) -> None:
        for one in list(news)[:WRITES]:
            told, now = self._told[one.about.key], self._clock.monotonic_ms()
            told.routine_after_ms = now + ROUTINE_MS
            try:
                self._write(one)
            except KubeFailed as error:
                told.urgent_after_ms = now + ROUTINE_MS
                self._fail(str(error))
                return  # the others most likely fail, too, and each may take long
            told.status, told.basis = one.status, one.basis
            self._problem = ""

    def _write(self, news: _News) -> None:
        one, now = news.about, self._clock.now_ms()
        namespace, _, name = one.key.partition("/")
        path = f"/apis/{API_VERSION}/namespaces/{namespace}/{PLURAL}/{name}/status"
        self._cluster.merge(path, {"status": news.status})
        self._telemetry.statuses.inc()
        for event in news.changes.events(one, now):
            self._cluster.post(f"/api/v1/namespaces/{namespace}/events", event)

    def _fail(self, problem: str) -> None:
        self._telemetry.statuses_failed.inc()
        if problem != self._problem:
            log.warning("a policy's status can't be written: %s", problem)
        self._problem = problem
