"""What is known of a cluster, and what is said of it. A fact that could not be read is the failure itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography import x509

from adapter.access.users import AUTHENTICATED
from adapter.autoscaler.live import LiveHpa
from adapter.registration.rule import Plan
from cme.core.errors import TidecastError
from cme.core.policy import ScalingPolicy
from cme.core.settings import Registration

Json = Mapping[str, Any]
Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """`check` is what was looked at, `text` what is so, what it means and what to do."""

    level: Level
    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:7} {self.check}: {self.text}"


@dataclass(frozen=True)
class ServiceAccount:
    """By what names the API server knows it."""

    namespace: str
    account: str

    @property
    def name(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.account}"

    @property
    def groups(self) -> list[str]:
        return ["system:serviceaccounts", f"system:serviceaccounts:{self.namespace}", AUTHENTICATED]


@dataclass(frozen=True)
class Right:
    """That a user may do something, and what does not work without it. `resource` may be RESOURCE/SUBRESOURCE."""

    user: ServiceAccount
    verb: str
    group: str
    resource: str
    purpose: str
    namespace: str = ""
    name: str = ""

    def refusal(self) -> str:
        """That it is not given."""
        whole = f"{self.resource}.{self.group}" if self.group else self.resource
        which = " ".join(part for part in (self.verb, whole, self.name) if part)
        return f"{self.user.name} may not {which}" + (f" in {self.namespace}" if self.namespace else "")

    def review(self) -> dict[str, Any]:
        """As a SubjectAccessReview asks for it."""
        resource, _, subresource = self.resource.partition("/")
        attributes = {
            "verb": self.verb,
            "group": self.group,
            "version": "*",
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        spec = {"user": self.user.name, "groups": self.user.groups, "resourceAttributes": attributes}
        return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


@dataclass(frozen=True)
class Asked:
    """What is checked."""

    registration: Registration
    policies: Sequence[ScalingPolicy]


@dataclass(frozen=True)
class Facts:
    version: str
    """Of the API server, like v1.36.3."""
    ahead_s: float | TidecastError
    """By how much its clock is ahead of ours."""
    tolerant: bool | TidecastError
    """Whether an HPA keeps `tolerance` as it is told."""
    scales_to_zero: bool | TidecastError
    """Whether an HPA may have minReplicas 0."""
    trust: Json | TidecastError
    """The ConfigMap of the front proxy."""
    plan: Plan | TidecastError
    """Of the APIServices that there are."""
    installed: bool | TidecastError
    """Whether our ServiceAccount exists."""
    rights: Mapping[Right, bool | TidecastError]
    discovery: Mapping[str, bool | TidecastError]
    """By the name of each APIService of ours: whether the aggregator's own request to it is answered."""
    values: Mapping[str, str | TidecastError]
    """By the path of each metric that a policy's HPA asks for: the value."""
    hpas: Sequence[LiveHpa] | TidecastError
    scaled_objects: Sequence[Json] | TidecastError
    """KEDA's; none where it is not installed."""
    vertical: Sequence[Json] | TidecastError
    """VerticalPodAutoscalers; none where there is no such kind."""
    certificate: x509.Certificate | None
    """That is served; None where its file is not at hand."""
    now: datetime
