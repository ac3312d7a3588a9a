"""Brings files and objects together whenever one of them changes, and hands on which policies are in effect."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cme.core.batch import Batch
from cme.core.errors import InvalidInput
from cme.core.policy_record import recorded_policy, recorded_text
from cme.core.settings import Settings
from cme.policies.objects import PolicyObject, PolicyObjects
from cme.policies.standing import Fate, Origin, Standing, in_effect, read, side_by_side
from cme.runtime.telemetry import CollectorTelemetry

log = logging.getLogger("tidecast.policies")

PERIOD_MS = 1_000


class File(Protocol):
    """Policies that are written in a file."""

    @property
    def standings(self) -> Sequence[Standing]:
        """As they are now."""

    def look(self) -> bool:
        """Read the file again if it has changed; returns whether the standings have."""


@dataclass(frozen=True)
class Objects:
    """The cluster's policies: as they are now, and until they were listed as they were when tidecast last ran."""

    now: PolicyObjects
    remembered: Sequence[Standing]


class PolicyKeeper:
    """What is in effect is what the file holds, then what the cluster does; what is broken stays as it last was good."""

    def __init__(
        self,
        file: File,
        objects: Objects | None,
        followers: Sequence[Callable[[Sequence[Standing]], None]],
        settings: Settings,
        telemetry: CollectorTelemetry,
    ) -> None:
        """`objects`: None without a cluster; `followers` are told what stands whenever it changes."""
        self._file, self._objects, self._followers = file, objects, followers
        self._settings, self._telemetry = settings, telemetry
        self._of_cluster = {one.key: one for one in objects.remembered} if objects else {}
        self._documents: dict[str, PolicyObject] = {}
        self._version = 0
        self.standings = self._judged()

    async def turn(self) -> None:
        """Look for changes and hand on what stands now."""
        if await asyncio.to_thread(self._changed):
            before, self.standings = self.standings, self._judged()
            _tell(self.standings, before)
            for follow in self._followers:
                follow(self.standings)

    def _changed(self) -> bool:
        changed = self._file.look()
        if self._objects is not None and (version := self._objects.now.version) != self._version:
            changed |= self._version == 0  # what was remembered is known now
            self._version = version
            changed |= self._read(self._objects.now.newest)
        return changed

    def _read(self, objects: Sequence[PolicyObject]) -> bool:
        """Take in the cluster's objects; only one that was written anew is read again."""
        known, documents = self._of_cluster, self._documents
        self._documents = {one.key: one for one in objects}
        self._of_cluster = {one.key: self._standing(one, documents, known) for one in objects}
        return list(self._of_cluster.items()) != list(known.items())

    def _standing(
        self, one: PolicyObject, documents: dict[str, PolicyObject], known: dict[str, Standing]
    ) -> Standing:
        before, standing = documents.get(one.key), known.get(one.key)
        if before and standing and before.document == one.document and before.uid == one.uid:
            return standing
        last_good = standing.policy if standing else None
        return read(one.key, one.document, last_good, self._settings)

    def _judged(self) -> list[Standing]:
        limit = self._settings.policies_per_namespace
        standings = side_by_side([*self._file.standings, *self._of_cluster.values()], limit)
        self._telemetry.policies.labels("in_effect").set(len(in_effect(standings)))
        self._telemetry.policies.labels("refused").set(sum(s.fate is not Fate.IN_EFFECT for s in standings))
        return standings


def _tell(standings: Sequence[Standing], before: Sequence[Standing]) -> None:
    known = {(standing.key, standing.origin): standing.problem for standing in before}
    for standing in standings:
        if standing.problem and known.get((standing.key, standing.origin)) != standing.problem:
            log.error("policy %s is refused: %s", standing.key, standing.told)


def remembered(batches: Iterable[Batch]) -> list[Standing]:
    """Policies of the cluster that records of `policies` say are in effect; one that can't be read is left out."""
    standings = []
    for batch in batches:
        if recorded_text(batch, "origin") != Origin.CLUSTER:
            continue
        try:
            policy = recorded_policy(batch)
        except InvalidInput as error:
            log.error("the log's policy %s is left out: %s", batch.key, error)
            continue
        if policy is not None:
            standings.append(Standing.valid(policy, Origin.CLUSTER))
    return standings
