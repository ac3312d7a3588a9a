"""What people do without forecasts: the policies that a policy is compared with."""

import numpy as np

from adapter.autoscaler.manifest import most_of
from adapter.hpa.controller import Controller
from adapter.hpa.spec import Behavior, Metric, MetricType, ScaleDown, Spec, Target, TargetType
from adapter.replay.cluster import Site
from adapter.replay.contender import Autoscaler, Contender
from adapter.replay.load import Doubles, Times
from adapter.replay.outcome import Changes, Demand
from cme.core.durations import SECOND_MS
from cme.core.policy import ScalingPolicy


def reactive(policy: ScalingPolicy, percent: int, window_s: int, controller: Controller) -> Contender:
    """An HPA on what is measured, which aims at so many percent of what a replica carries."""
    metrics = tuple(
        Metric(
            MetricType.OBJECT, Target(TargetType.AVERAGE_VALUE, max(1, round(s.per_replica * 10 * percent)))
        )
        for s in policy.spec.signals
    )
    usual = window_s * SECOND_MS == controller.downscale_stabilization_ms  # as without a behavior
    behavior = None if usual else Behavior(down=ScaleDown(stabilization_s=window_s))
    spec = Spec(most_of(policy), 1, metrics, behavior)
    names = tuple(signal.name for signal in policy.spec.signals)
    return Contender(f"HPA {window_s} s", f"{percent} %", policy, Autoscaler(spec, names, controller))


def static(policy: ScalingPolicy, replicas: int) -> Contender:
    return Contender("static", str(replicas), policy, None, replicas)


def hindsight(demand: Demand, site: Site) -> tuple[Changes, Changes]:
    """What carries load and what is paid if all is known beforehand: each replica is started so early that it carries
    load when it is needed, and let go when it is not. No schedule of whole replicas is short less or costs less."""
    whole = np.ceil(np.nan_to_num(demand.needed) - 1e-9)
    starts, ends = demand.edges_ms[:-1], demand.edges_ms[1:]
    moments = np.union1d(starts, np.maximum(starts - site.startup.p90_ms, starts[0]))
    last = np.searchsorted(starts, moments + site.startup.p90_ms, side="right") - 1
    first = np.searchsorted(ends, moments, side="right")
    paid = [max(whole[a : b + 1]) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return _changes(starts, whole), _changes(moments, np.array(paid))


def _changes(times_ms: Times, numbers: Doubles) -> Changes:
    kept = np.concatenate([[True], np.diff(numbers) != 0])
    return list(zip(times_ms[kept].tolist(), numbers[kept].astype(int).tolist(), strict=True))
