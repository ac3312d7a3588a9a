"""Who is compared with a policy when nobody says whom."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from adapter.autoscaler.live import LiveHpa
from adapter.autoscaler.manifest import floors, most_of
from adapter.hpa.controller import Controller
from adapter.hpa.spec import Metric, MetricType, Spec, Target, TargetType
from adapter.metrics import REPLICAS_SCHEDULE
from adapter.replay.baselines import reactive, static
from adapter.replay.contender import Autoscaler, Contender, autoscaler_of, following
from adapter.replay.outcome import Demand
from cme.core.policy import ScalingPolicy

TIDECAST, CRON = "tidecast", "cron only"
USUAL_PERCENT = 70
"""Of what a replica carries: where many HPAs stand."""
USUAL_WINDOW_S = 300
_TIMES_PEAK = 5
QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
PERCENTS = tuple(range(40, 100, 5))
WINDOWS_S = (0, 60, 300, 900)


def lineup(
    policy: ScalingPolicy, live: Sequence[LiveHpa], demand: Demand, controller: Controller
) -> list[Contender]:
    """The policy; the user's own HPAs of it, or a usual one; its schedules alone; the size that is always enough."""
    own = [_own(policy, hpa, controller) for hpa in live if hpa.scales(policy)]
    others = [
        *([] if own else [reactive(policy, USUAL_PERCENT, USUAL_WINDOW_S, controller)]),
        *([schedules_only(policy, controller)] if floors(policy) else []),
    ]
    first, *rest = (roomy(one, demand) for one in (tidecast(policy, controller), *others))
    return [first, *own, *rest, static(policy, _peak(demand))]


def roomy(one: Contender, demand: Demand) -> Contender:
    """Where the policy knows no maximum, its HPA's is far above what is ever needed: the one that `tidecast hpa` prints for want
    of it is for the user to choose, and nothing to be compared by."""
    if one.autoscaler is None or one.policy.spec.limits.max_replicas is not None:
        return one
    spec = one.autoscaler.spec
    most = max(spec.max_replicas, _TIMES_PEAK * _peak(demand))
    return replace(one, autoscaler=replace(one.autoscaler, spec=replace(spec, max_replicas=most)))


def _peak(demand: Demand) -> int:
    return math.ceil(np.nanmax(demand.needed, initial=1) - 1e-9)


def tidecast(policy: ScalingPolicy, controller: Controller, setting: str = "") -> Contender:
    return Contender(TIDECAST, setting, policy, following(policy, controller))


def schedules_only(policy: ScalingPolicy, controller: Controller) -> Contender:
    """Its floors by the clock and nothing else."""
    metric = Metric(MetricType.OBJECT, Target(TargetType.AVERAGE_VALUE, 1000))
    behavior = following(policy, controller).spec.behavior
    spec = Spec(most_of(policy), 1, (metric,), behavior)
    return Contender(CRON, "", policy, Autoscaler(spec, (REPLICAS_SCHEDULE,), controller))


def sweep(policy: ScalingPolicy, controller: Controller) -> Iterator[Contender]:
    """What shortage costs: the policy over its quantiles, HPAs over targets and windows."""
    for quantile in QUANTILES:
        yield tidecast(with_quantile(policy, quantile), controller, f"q {quantile:g}")
    for window_s in WINDOWS_S:
        for percent in PERCENTS:
            yield reactive(policy, percent, window_s, controller)


def with_quantile(policy: ScalingPolicy, quantile: float) -> ScalingPolicy:
    """Whatever gave it before: a cost or an SLO goes."""
    given = written(policy)["spec"].get("forecast", {})
    kept = {name: value for name, value in given.items() if name not in ("cost", "slo")}
    return changed(policy, forecast=kept | {"quantile": quantile})


def changed(policy: ScalingPolicy, **fields: Any) -> ScalingPolicy:
    """With other fields of its spec, checked as any policy is."""
    document = written(policy)
    return ScalingPolicy.model_validate(document | {"spec": document["spec"] | fields})


def written(policy: ScalingPolicy) -> dict[str, Any]:
    """The document without what its writer left out."""
    return policy.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _own(policy: ScalingPolicy, hpa: LiveHpa, controller: Controller) -> Contender:
    return Contender("HPA", hpa.metadata.name, policy, autoscaler_of(hpa, policy, controller))
