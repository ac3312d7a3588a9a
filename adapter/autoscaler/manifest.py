"""The HPA that follows a policy's decision at once: its own delays would come on top of the policy's."""

import re
from typing import Any

from adapter.hpa.spec import Behavior, Policy, PolicyType, ScaleDown, ScaleUp
from adapter.metrics import REPLICAS_SCALING, REPLICAS_SCHEDULE
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy

Json = dict[str, Any]

LEAST_MAX_REPLICAS = 100
"""Of a policy without limits, for an HPA must have one."""

OLDEST_MINOR, TOLERANT_MINOR = 23, 35
"""Of Kubernetes 1.x: since when there is autoscaling/v2, and since when spec.behavior's tolerances count by default
(KEP-4951: alpha and off in 1.33, beta and on in 1.35)."""

ZERO_MINOR = 37
"""Since when the gate HPAScaleToZero is on by default (KEP-2021: alpha and off from 1.16 to 1.36, beta in 1.37)."""

PERIOD_S = 15
"""The controller decides so often; a policy of a longer period would outlast a decision."""


def minor_of(version: str) -> int:
    """35 of `1.35`. Raises InvalidInput."""
    match = re.fullmatch(r"v?1\.(\d{1,3})(\..*)?", version)
    if match is None or int(match[1]) < OLDEST_MINOR:
        raise InvalidInput(
            f"{version!r} is no version with autoscaling/v2",
            "--kubernetes",
            f"write 1.{OLDEST_MINOR} or later",
        )
    return int(match[1])


def manifest(policy: ScalingPolicy, minor: int) -> Json:
    """For Kubernetes 1.`minor`, in the order in which people write it."""
    reference = target_of(policy)
    most = most_of(policy)
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": policy.metadata.name, "namespace": policy.metadata.namespace},
        "spec": {
            "scaleTargetRef": reference,
            "minReplicas": least_of(policy),
            "maxReplicas": most,
            "metrics": [_metric(name, dict(reference)) for name in needed(policy)],
            "behavior": _behavior(at_once(most), minor),
        },
    }


def target_of(policy: ScalingPolicy) -> Json:
    """The workload as a reference in a manifest."""
    ref = policy.spec.target_ref
    return {"apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name}


def needed(policy: ScalingPolicy) -> list[str]:
    """The metrics of the fitting HPA. Without a schedule's floor `replicas_schedule` says no more than `minReplicas`."""
    return [REPLICAS_SCALING, *([REPLICAS_SCHEDULE] if floors(policy) else [])]


def least_of(policy: ScalingPolicy) -> int:
    """`minReplicas`: 0 only for a policy that says so, as a cluster may refuse it."""
    lowest = policy.spec.limits.min_replicas
    return 1 if lowest is None else lowest


def most_of(policy: ScalingPolicy) -> int:
    highest = policy.spec.limits.max_replicas
    if highest is not None:
        return highest
    return max([LEAST_MAX_REPLICAS, least_of(policy), *ceilings(policy), *floors(policy)])


def floors(policy: ScalingPolicy) -> list[int]:
    """Of schedules."""
    return [s.min_replicas for s in policy.spec.schedules if s.min_replicas is not None]


def ceilings(policy: ScalingPolicy) -> list[int]:
    """Of schedules."""
    return [s.max_replicas for s in policy.spec.schedules if s.max_replicas is not None]


def at_once(max_replicas: int) -> Behavior:
    """From any size to any other in one step."""
    up = ScaleUp(policies=(Policy(PolicyType.PODS, max_replicas, PERIOD_S),))
    return Behavior(up, ScaleDown(stabilization_s=0))


def _metric(name: str, reference: Json) -> Json:
    target = {"type": "AverageValue", "averageValue": "1"}
    return {
        "type": "Object",
        "object": {"describedObject": reference, "metric": {"name": name}, "target": target},
    }


def _behavior(behavior: Behavior, minor: int) -> Json:
    tolerance = {"tolerance": "0"} if minor >= TOLERANT_MINOR else {}
    return {
        direction: {
            "stabilizationWindowSeconds": rules.stabilization_s,
            "policies": [
                {"type": str(p.type), "value": p.value, "periodSeconds": p.period_s} for p in rules.policies
            ],
            **tolerance,
        }
        for direction, rules in (("scaleUp", behavior.up), ("scaleDown", behavior.down))
    }
