"""What to change in a policy: searched on the first half of a past, validated on the second."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapter.hpa.controller import Controller
from adapter.replay.cluster import Site
from adapter.replay.lineup import QUANTILES, changed, roomy, tidecast, with_quantile, written
from adapter.replay.outcome import Outcome, outcome
from adapter.replay.past import Past
from adapter.replay.simulate import SYNC_MS, simulate
from adapter.replay.tide import HOURS, Tide, tide
from cme.core.durations import MINUTE_MS
from cme.core.policy import ScalingPolicy

WINDOWS = ("0s", "1m", "2m", "5m", "10m", "20m")
SHARES = (1.0, 0.9, 0.8)
"""Of perReplica: what a replica is meant to carry, so that it has some room for what no forecast tells."""
FLOOR = "tidecast-advice"
"""The name of a proposed schedule."""
SEARCH_SYNC_MS = MINUTE_MS
"""While searching the HPA looks only so often: a quarter of the work, for all candidates alike; validated is as it is."""
FREE = 0.01
"""A floor that costs no more than this share is worth having: it holds when all data are missing."""


@dataclass(frozen=True)
class Advice:
    """`before` and `after` are what today's policy and the proposed one came to in the validation."""

    today: ScalingPolicy
    proposed: ScalingPolicy
    before: Outcome
    after: Outcome
    tide: Tide | None


@dataclass(frozen=True)
class Scene:
    """A past and where it is cut: searched before `middle_ms`, validated behind it."""

    past: Past
    site: Site
    controller: Controller
    since_ms: int
    middle_ms: int
    until_ms: int


def advise(policy: ScalingPolicy, scene: Scene, bearable: float | None, confidence: float) -> Advice:
    """The cheapest that is short of no more than `bearable` of the demand, or than today's policy if that is None. One
    field after the other: they hardly depend on one another, and all at once would be thousands."""
    demand = scene.past.demand.within(scene.since_ms, scene.middle_ms)
    found = tide(demand, policy.spec.time_zone, confidence)
    best = policy
    if bearable is None:
        (today,) = _searched([policy], scene)
        bearable = today.short
    for candidates in (_quantiles, _windows, _shares, _quantiles):
        best = _cheapest([best, *candidates(best, policy)], scene, bearable)
    best = _with_floor(best, found, scene)
    before, after = _outcomes([policy, best], scene, scene.middle_ms, scene.until_ms, SYNC_MS)
    return Advice(policy, best, before, after, found)


def _cheapest(candidates: Sequence[ScalingPolicy], scene: Scene, bearable: float) -> ScalingPolicy:
    """The first of them, if none is bearable the one that is short of least."""
    outcomes = _searched(candidates, scene)
    able = [pair for pair in zip(outcomes, candidates, strict=True) if pair[0].short <= bearable]
    if able:
        return min(able, key=lambda pair: pair[0].replica_hours)[1]
    return min(zip(outcomes, candidates, strict=True), key=lambda pair: pair[0].short)[1]


def _with_floor(policy: ScalingPolicy, found: Tide | None, scene: Scene) -> ScalingPolicy:
    """With what every day needs anyway in the hours that are not off-peak, as a floor, if that is next to free."""
    if found is None or (low := found.off_peak) is None:
        return policy
    first, length = (low[0] + low[1]) % HOURS, HOURS - low[1]
    floor = math.floor(min(found.least[(first + hour) % HOURS] for hour in range(length)))
    if floor < 2:
        return policy
    schedule = {
        "name": FLOOR,
        "start": f"0 {first} * * *",
        "duration": f"{length}h",
        "timeZone": found.zone,
        "minReplicas": floor,
    }
    floored = changed(policy, schedules=[*written(policy)["spec"].get("schedules", []), schedule])
    without, with_ = _searched([policy, floored], scene)
    return floored if with_.replica_hours <= (1 + FREE) * without.replica_hours else policy


def _quantiles(policy: ScalingPolicy, _: ScalingPolicy) -> Iterator[ScalingPolicy]:
    return (with_quantile(policy, quantile) for quantile in QUANTILES)


def _windows(policy: ScalingPolicy, _: ScalingPolicy) -> Iterator[ScalingPolicy]:
    given = written(policy)["spec"].get("scaleDown", {})
    return (changed(policy, scaleDown=given | {"window": window}) for window in WINDOWS)


def _shares(policy: ScalingPolicy, today: ScalingPolicy) -> Iterator[ScalingPolicy]:
    planned = {signal.name: signal.per_replica for signal in today.spec.signals}
    signals = written(policy)["spec"]["signals"]
    for share in SHARES:
        yield changed(
            policy, signals=[s | {"perReplica": float(f"{share * planned[s['name']]:.4g}")} for s in signals]
        )


def _searched(policies: Sequence[ScalingPolicy], scene: Scene) -> list[Outcome]:
    return _outcomes(policies, scene, scene.since_ms, scene.middle_ms, SEARCH_SYNC_MS)


def _outcomes(
    policies: Sequence[ScalingPolicy], scene: Scene, since_ms: int, until_ms: int, sync_ms: int
) -> list[Outcome]:
    demand = scene.past.demand.within(since_ms, until_ms)
    each = (tidecast(policy, scene.controller, str(number)) for number, policy in enumerate(policies))
    contenders = [roomy(one, demand) for one in each]
    runs = simulate(contenders, scene.past, scene.site, since_ms, until_ms, sync_ms=sync_ms)
    return [outcome(demand, run.cluster.ready, run.cluster.paid) for run in runs]
