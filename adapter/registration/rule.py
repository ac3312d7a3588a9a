"""Whether a group of the metrics APIs may be ours: only while no version of it has another owner.

An HPA asks the version of the highest priority that it knows. Where prometheus-adapter has v1beta1 of
custom.metrics.k8s.io, a v1beta2 of ours would silently take the requests of every HPA there is.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adapter.api.paths import VERSIONS
from cme.core.settings import Registration

Json = dict[str, Any]
State = Literal["free", "ours", "foreign"]

GROUP_PRIORITY = 100
"""Of no importance: no resource of these groups has a name that another group has."""
VERSION_PRIORITY = 100
"""Of the oldest version; each newer one has as much more."""


@dataclass(frozen=True)
class ApiService:
    """One of a cluster. `available` is what the aggregator found, `reason` and `message` why."""

    spec: Mapping[str, Any]
    available: bool = False
    reason: str = ""
    message: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "ApiService":
        """From an apiregistration.k8s.io/v1 APIService."""
        conditions = (document.get("status") or {}).get("conditions") or ()
        for one in conditions:
            if one["type"] == "Available":
                found = one["status"] == "True"
                return cls(document["spec"], found, one.get("reason", ""), one.get("message", ""))
        return cls(document["spec"])

    @property
    def group(self) -> str:
        return str(self.spec.get("group", ""))

    @property
    def version(self) -> str:
        return str(self.spec.get("version", ""))

    @property
    def name(self) -> str:
        return f"{self.version}.{self.group}"

    @property
    def owner(self) -> str:
        """NAMESPACE/NAME of the Service that it leads to."""
        service = self.spec.get("service")
        return f"{service['namespace']}/{service['name']}" if service else "the API server itself"

    @property
    def authorities(self) -> str:
        """PEM of those that its server's certificate is verified by, "" for the system's."""
        return base64.b64decode(self.spec.get("caBundle") or "").decode(errors="replace")


@dataclass(frozen=True)
class Plan:
    """What is to be done with the APIServices of the metrics groups."""

    ours: Sequence[ApiService]
    """Those that lead to our Service, also of groups that are no longer asked for."""
    foreign: Sequence[ApiService]
    """Those of the groups asked for that lead elsewhere."""
    states: Mapping[str, State]
    """Of each group asked for; foreign as soon as one version is."""
    wanted: Sequence[tuple[str, str]]
    """(group, version) to be applied. As long as one group is refused nothing is added, and what is ours is kept."""
    refusals: Sequence[str]
    """A sentence per foreign group: whose it is, and what to do."""

    def known(self, authorities: str) -> bool:
        """Whether the cluster verifies us by exactly these wherever it leads to us."""
        return all(one.authorities == authorities for one in self.ours)


def owner_of(registration: Registration) -> str:
    """Our own Service, as `ApiService.owner` writes it."""
    return f"{registration.namespace}/{registration.service}"


def planned(found: Iterable[ApiService], registration: Registration) -> Plan:
    """The plan, given all APIServices of a cluster."""
    served = [one for one in found if one.group in VERSIONS]
    me = owner_of(registration)
    ours = [one for one in served if one.owner == me]
    foreign = [one for one in served if one.owner != me and one.group in registration.groups]
    states: dict[str, State] = {group: _state(group, ours, foreign) for group in registration.groups}
    refused = [group for group, state in states.items() if state == "foreign"]
    wanted = {(one.group, one.version) for one in ours if one.version in VERSIONS[one.group]}
    if not refused:
        wanted |= {(group, version) for group in registration.groups for version in VERSIONS[group]}
    refusals = [_refusal(group, foreign, states) for group in refused]
    return Plan(ours, foreign, states, sorted(wanted), refusals)


def manifest(group: str, version: str, registration: Registration, authorities: str) -> Json:
    """Our APIService of one version. Authorities: PEM, which the aggregator verifies us by."""
    versions = VERSIONS[group]
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{version}.{group}"},
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": GROUP_PRIORITY,
            "versionPriority": VERSION_PRIORITY * (len(versions) - versions.index(version)),
            "service": {
                "namespace": registration.namespace,
                "name": registration.service,
                "port": registration.port,
            },
            "caBundle": base64.b64encode(authorities.encode()).decode(),
        },
    }


def _state(group: str, ours: Sequence[ApiService], foreign: Sequence[ApiService]) -> State:
    if any(one.group == group for one in foreign):
        return "foreign"
    return "ours" if any(one.group == group for one in ours) else "free"


def _refusal(group: str, foreign: Sequence[ApiService], states: Mapping[str, State]) -> str:
    its = [one for one in foreign if one.group == group]
    owned = ", ".join(f"{one.version} belongs to {one.owner}" for one in its)
    rest = [other for other, state in states.items() if state != "foreign"]
    leave = (
        f"set registration.groups to [{', '.join(rest)}]" if rest else "take registration out of the settings"
    )
    names = " ".join(one.name for one in its)
    return (
        f"{group}: {owned}, and its HPAs would be answered by tidecast; {leave}, "
        f"or let the other go first (kubectl delete apiservice {names})"
    )
