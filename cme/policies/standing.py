"""What becomes of the policies that people write: in effect, or kept as they last were, with the reason."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from cme.core.documents import parse_document
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings, among
from cme.sources.registry import check_source

LONGEST_DOCUMENT = 256 * 1024
"""Characters of a policy's JSON: it must fit into a record of the log, and a pool of them into memory."""

Json = Mapping[str, Any]


class Origin(StrEnum):
    """Where a policy is written."""

    FILE = "file"
    CLUSTER = "cluster"


class Fate(StrEnum):
    """What became of what is written now; the word is that of the object's condition."""

    IN_EFFECT = "InEffect"
    INVALID = "Invalid"
    CONFLICT = "Conflict"
    TOO_MANY = "TooMany"


@dataclass(frozen=True)
class Standing:
    """`policy` is in effect; with a `problem` it is the last good one, None if there was none."""

    key: str
    origin: Origin
    policy: ScalingPolicy | None
    fate: Fate = Fate.IN_EFFECT
    problem: str = ""

    @property
    def told(self) -> str:
        """The problem, and what is in effect instead."""
        kept = "; what was valid before stays in effect" if self.policy and self.problem else ""
        return f"{self.problem}{kept}"

    @classmethod
    def valid(cls, policy: ScalingPolicy, origin: Origin = Origin.FILE) -> "Standing":
        """Of a policy that is in effect as it is written."""
        return cls(policy.key, origin, policy)


def read(key: str, document: Json, last_good: ScalingPolicy | None, settings: Settings) -> Standing:
    """Of an object of the cluster by itself: whether it fits the model and may use what it names."""
    try:
        if len(json.dumps(document)) > LONGEST_DOCUMENT:
            raise InvalidInput(f"it is longer than {LONGEST_DOCUMENT} characters", key, "write less")
        policy = parse_document(ScalingPolicy, document, f"policy {key}")
        check(policy, settings)
        _refuse_scraping(policy, settings)
    except InvalidInput as error:
        return Standing(key, Origin.CLUSTER, last_good, Fate.INVALID, f"{error.what}; {error.remedy}")
    return Standing.valid(policy, Origin.CLUSTER)


def check(policy: ScalingPolicy, settings: Settings) -> None:
    """Raises InvalidInput for the first signal whose source can't be opened by these settings."""
    for index, signal in enumerate(policy.spec.signals):
        where = f"policy {policy.key}, spec.signals.{index}.source"
        check_source(signal.source, settings.connections, policy.metadata.namespace, where)


def _refuse_scraping(policy: ScalingPolicy, settings: Settings) -> None:
    """Who writes policies in a namespace need not be allowed to reach what tidecast reaches. Raises InvalidInput."""
    namespace = policy.metadata.namespace
    scraped = any("scrape" in signal.source for signal in policy.spec.signals)
    if scraped and not among(settings.scrape_namespaces, namespace):
        raise InvalidInput(
            f"namespace {namespace} may not use the source scrape",
            f"policy {policy.key}",
            "name a connection with a source that has one, or ask who keeps the settings for scrapeNamespaces",
        )


def side_by_side(standings: Sequence[Standing], limit: int) -> list[Standing]:
    """The same, but of two that share a name or a target, and of more than `limit` in a namespace, the earlier stand.

    Files come first, for they are the administrator's; then objects as they are given: by age.
    """
    keys, targets, counts = set[str](), dict[str, str](), dict[str, int]()
    judged = []
    for standing in sorted(standings, key=lambda s: s.origin is Origin.CLUSTER):
        one = _beside(standing, keys, targets, counts, limit)
        if one.policy is not None:
            keys.add(one.key)
            targets[str(one.policy.workload)] = one.key
            counts[one.policy.metadata.namespace] = counts.get(one.policy.metadata.namespace, 0) + 1
        judged.append(one)
    return judged


def _beside(
    standing: Standing, keys: set[str], targets: Mapping[str, str], counts: Mapping[str, int], limit: int
) -> Standing:
    if standing.policy is None:
        return standing
    namespace, workload = standing.policy.metadata.namespace, str(standing.policy.workload)
    if standing.key in keys:
        return _refused(standing, Fate.CONFLICT, f"a file holds a policy {standing.key}, too; rename one")
    if workload in targets:
        problem = f"policy {targets[workload]} scales {workload} already; keep one policy per workload"
        return _refused(standing, Fate.CONFLICT, problem)
    if counts.get(namespace, 0) >= limit:
        problem = f"namespace {namespace} may have {limit} policies; ask who keeps the settings for more"
        return _refused(standing, Fate.TOO_MANY, problem)
    return standing


def _refused(standing: Standing, fate: Fate, problem: str) -> Standing:
    return replace(standing, policy=None, fate=fate, problem=problem)


def in_effect(standings: Iterable[Standing]) -> list[ScalingPolicy]:
    """The policies that count."""
    return [standing.policy for standing in standings if standing.policy is not None]
