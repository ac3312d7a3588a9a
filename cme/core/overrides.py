"""Between how many replicas a workload is held at a moment: by what is asked of its policy for a time, else by its limits
and schedules. Depends on nothing but what is given."""

from cme.core.policy import ReplicaLimits, ScalingPolicy
from cme.core.reasons import Reason
from cme.core.schedules import Bounds, Told, replica_bounds


def bounds_of(policy: ScalingPolicy, now_ms: int, told: Told) -> Bounds:
    """Of a policy that is paused both bounds are what runs (NaN: not known), of one that is pinned the pin's
    number within the limits; the reasons then hold one of `FIXED`. A pause outweighs a pin."""
    asked = policy.metadata.annotations
    if asked.pause:
        return Bounds(told.running, told.running, Reason.PAUSED, Reason.PAUSED)
    if asked.pin and now_ms < asked.pin.until_ms:
        return _pinned(asked.pin.replicas, policy.spec.limits)
    return replica_bounds(policy.spec, now_ms, told)


def _pinned(replicas: int, limits: ReplicaLimits) -> Bounds:
    """Schedules are left out: a pin is there to be stronger. The limits are not: they hold always."""
    lowest, highest = limits.min_replicas, limits.max_replicas
    if lowest is not None and replicas < lowest:
        return _fixed(lowest, Reason.LIMIT_FLOOR)
    if highest is not None and replicas > highest:
        return _fixed(highest, Reason.LIMIT_CEILING)
    return _fixed(replicas, Reason.NONE)


def _fixed(replicas: int, by: Reason) -> Bounds:
    return Bounds(replicas, replicas, Reason.PINNED | by, Reason.PINNED | by)
