"""Which workloads there are and by what names the API knows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from cme.core.identity import SeriesKey, Workload, plural_of
from cme.core.policy import ScalingPolicy

GUESSED: Mapping[int, str] = MappingProxyType({})
"""No plurals are known."""


@dataclass(frozen=True)
class Entry:
    """A workload with a policy, and the ids of its rows in the log."""

    policy: ScalingPolicy
    workload: Workload
    replicas_id: int
    signals: Mapping[str, int]
    plural: str  # of its kind

    @classmethod
    def of(cls, policy: ScalingPolicy, plurals: Mapping[int, str] = GUESSED) -> "Entry":
        """`plurals` by id as the cluster told them; where it has not, Kubernetes' own rule guesses."""
        signals = {signal.name: policy.series(signal).id for signal in policy.spec.signals}
        workload, replicas_id = policy.workload, SeriesKey(policy.workload, "replicas").id
        plural = plurals.get(replicas_id) or plural_of(workload.kind)
        return cls(policy, workload, replicas_id, signals, plural)

    @property
    def resource(self) -> str:
        """`deployments.apps`, as the HPA names it in a path."""
        return f"{self.plural}.{self.workload.group}" if self.workload.group else self.plural

    @cached_property
    def resources(self) -> set[str]:
        """Names of its kind in a path: people write the plural or the singular alone, the HPA adds the group."""
        workload, names = self.workload, {self.plural, self.workload.kind.lower()}
        return names | {f"{name}.{workload.group}" for name in names if workload.group}

    @cached_property
    def labels(self) -> dict[str, str]:
        """By which External metrics are selected."""
        return {"tidecast.dev/kind": self.workload.kind, "tidecast.dev/workload": self.workload.name}


class Catalog:
    """All entries, found by namespace, resource and name."""

    def __init__(self, policies: Iterable[ScalingPolicy] = (), plurals: Mapping[int, str] = GUESSED) -> None:
        entries = [Entry.of(policy, plurals) for policy in policies]
        self.entries: Sequence[Entry] = sorted(entries, key=lambda e: e.workload)
        self._by_name: dict[tuple[str, str, str], list[Entry]] = {}
        self._by_namespace: dict[str, list[Entry]] = {}
        self._by_id = {entry.replicas_id: entry for entry in self.entries}
        for entry in self.entries:
            workload = entry.workload
            for resource in entry.resources:
                key = (workload.namespace, resource, workload.name)
                self._by_name.setdefault(key, []).append(entry)
            self._by_namespace.setdefault(workload.namespace, []).append(entry)

    def find(self, namespace: str, resource: str, name: str) -> Entry | None:
        """The workload, if the names mean exactly one."""
        found = self._by_name.get((namespace, resource, name), [])
        return found[0] if len(found) == 1 else None

    def goes_by_another(self, replicas_id: int, plural: str) -> bool:
        """Whether a workload's kind is known here by another plural than the cluster tells ("": it tells none)."""
        entry = self._by_id.get(replicas_id)
        return entry is not None and plural not in ("", entry.plural)

    def within(self, namespace: str) -> Sequence[Entry]:
        return self._by_namespace.get(namespace, ())
