"""An HPA as a cluster tells it (`kubectl get hpa --output yaml`): the parts that a policy is compared with."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from adapter.hpa.spec import Behavior, Policy, PolicyType, Rules, ScaleDown, ScaleUp, Select
from cme.core.documents import parse_document
from cme.core.policy import ScalingPolicy
from cme.core.quantity import parse_quantity

KIND = "HorizontalPodAutoscaler"
Milli = Annotated[int, BeforeValidator(lambda value: parse_quantity(str(value)))]
"""A Kubernetes quantity, thousandths in the program."""


class _Part(BaseModel):
    """What else a cluster tells is left alone."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Reference(_Part):
    api_version: str = ""
    kind: str
    name: str

    def means(self, policy: ScalingPolicy) -> bool:
        """Whether this is the policy's workload, in any version of its API."""
        ref = policy.spec.target_ref
        group = self.api_version.rpartition("/")[0]
        return (group, self.kind, self.name) == (ref.group, ref.kind, ref.name)


class Selector(_Part):
    match_labels: dict[str, str] = Field(default_factory=dict)


class Named(_Part):
    name: str
    selector: Selector = Selector()


class Target(_Part):
    type: str
    average_value: Milli | None = None
    value: Milli | None = None


class Source(_Part):
    """What stands under `object`, `pods` or `external`."""

    metric: Named
    target: Target
    described_object: Reference | None = None


class Metric(_Part):
    type: str
    object: Source | None = None
    pods: Source | None = None
    external: Source | None = None

    @property
    def source(self) -> Source | None:
        """None for metrics of resources, which no policy is about."""
        return self.object or self.pods or self.external


class LivePolicy(_Part):
    type: PolicyType
    value: int = Field(gt=0)
    period_seconds: int = Field(gt=0, le=1_800)


class LiveRules(_Part):
    stabilization_window_seconds: int | None = Field(default=None, ge=0, le=3_600)
    select_policy: Select = Select.MAX
    policies: tuple[LivePolicy, ...] | None = Field(default=None, min_length=1)
    tolerance: Milli | None = None

    def over(self, default: Rules) -> Rules:
        """With the defaults of the API server for what is left out."""
        window, policies = self.stabilization_window_seconds, self.policies
        return Rules(
            default.stabilization_s if window is None else window,
            self.select_policy,
            default.policies
            if policies is None
            else tuple(Policy(p.type, p.value, p.period_seconds) for p in policies),
            None if self.tolerance is None else self.tolerance / 1000,
        )


class LiveBehavior(_Part):
    scale_up: LiveRules = LiveRules()
    scale_down: LiveRules = LiveRules()


class LiveSpec(_Part):
    scale_target_ref: Reference
    min_replicas: int = Field(default=1, ge=0)
    max_replicas: int = Field(ge=1)
    metrics: tuple[Metric, ...] = ()
    behavior: LiveBehavior = LiveBehavior()


class LiveMetadata(_Part):
    name: str
    namespace: str = "default"


class LiveHpa(_Part):
    api_version: Literal["autoscaling/v2"]
    kind: Literal["HorizontalPodAutoscaler"]
    metadata: LiveMetadata
    spec: LiveSpec

    @property
    def behavior(self) -> Behavior:
        """No behavior is taken for an empty one: the controller's windows are the same, and both double per step."""
        given = self.spec.behavior
        return Behavior(given.scale_up.over(ScaleUp()), given.scale_down.over(ScaleDown()))

    def scales(self, policy: ScalingPolicy) -> bool:
        """Whether it is about the policy's workload."""
        return self.metadata.namespace == policy.metadata.namespace and self.spec.scale_target_ref.means(
            policy
        )


def hpas(documents: Iterable[Any], where: str) -> list[LiveHpa]:
    """Those of some manifests and of lists of them; manifests of other kinds are left alone. Raises InvalidInput."""
    found = [one for document in documents for one in _items(document)]
    return [
        parse_document(LiveHpa, one, f"{where}, {KIND} {number}")
        for number, one in enumerate((one for one in found if one.get("kind") == KIND), 1)
    ]


def _items(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    items = document["items"] if isinstance(document.get("items"), list) else [document]
    return [one for one in items if isinstance(one, dict)]
