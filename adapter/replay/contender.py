"""Who is compared: a policy with an HPA that follows it, an HPA on what is measured, or a fixed size."""

from dataclasses import dataclass

from adapter.autoscaler.live import LiveHpa
from adapter.autoscaler.manifest import manifest
from adapter.autoscaler.specification import names_of, spec_of
from adapter.hpa.controller import Controller
from adapter.hpa.spec import Spec
from adapter.metrics import REPLICAS_SCALING, REPLICAS_SCHEDULE, Form, parse_metric
from cme.core.documents import parse_document
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy


@dataclass(frozen=True)
class Autoscaler:
    """An HPA, and the names of the metrics that it reads, in the order of its spec."""

    spec: Spec
    metrics: tuple[str, ...]
    controller: Controller


@dataclass(frozen=True)
class Contender:
    """`family` and `setting` name it; those of a family differ in one setting. Its policy says what its metrics mean.
    Without an autoscaler it keeps the replicas that it begins with (None: those that are needed then)."""

    family: str
    setting: str
    policy: ScalingPolicy
    autoscaler: Autoscaler | None
    replicas: int | None = None

    @property
    def name(self) -> str:
        return f"{self.family} {self.setting}".rstrip()

    @property
    def decides(self) -> bool:
        """Whether it asks the policy chain for anything."""
        return self.autoscaler is not None and any(map(_of_chain, self.autoscaler.metrics))


def _of_chain(metric: str) -> bool:
    return metric in (REPLICAS_SCALING, REPLICAS_SCHEDULE) or parse_metric(metric)[1] in (
        Form.PREDICTED,
        Form.SCALING,
    )


def following(policy: ScalingPolicy, controller: Controller) -> Autoscaler:
    """The HPA that `tidecast hpa` prints for the policy."""
    minor = int(controller.version.split(".")[1])
    return autoscaler_of(parse_document(LiveHpa, manifest(policy, minor), "tidecast hpa"), policy, controller)


def autoscaler_of(hpa: LiveHpa, policy: ScalingPolicy, controller: Controller) -> Autoscaler:
    """A user's own. Raises InvalidInput for a metric that the policy does not have."""
    signals = {signal.name for signal in policy.spec.signals}
    for name in names_of(hpa):
        if name not in (REPLICAS_SCALING, REPLICAS_SCHEDULE) and parse_metric(name)[0] not in signals:
            raise InvalidInput(
                f"the policy of {policy.workload} has no metric {name}",
                f"HorizontalPodAutoscaler {hpa.metadata.name}",
                f"its signals are {', '.join(sorted(signals))}",
            )
    return Autoscaler(spec_of(hpa), names_of(hpa), controller)
