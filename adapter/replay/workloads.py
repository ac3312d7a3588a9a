"""Many workloads' pasts: learnt together as they would be, then each gone through by a process of its own."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from adapter.autoscaler.live import LiveHpa
from adapter.hpa.controller import Controller
from adapter.replay.advice import Scene
from adapter.replay.cluster import Site, Startup
from adapter.replay.forecasts import Forecasts, Series
from adapter.replay.inputs import Given
from adapter.replay.learning import forecasts_of
from adapter.replay.lineup import lineup, roomy, sweep
from adapter.replay.past import Past
from adapter.replay.simulate import SYNC_MS
from adapter.replay.study import Study, study
from cme.core.durations import DAY_MS, MINUTE_MS
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.progress import Progress, silent
from cme.core.settings import Settings
from predictor.calendar import calendars_of
from predictor.presets import PRESETS

LEAST_MS = 2 * 3_600_000
"""A shorter past says nothing."""
WARM_DAYS = 14
"""Of a past so many days at most, and half of it at most, are learnt from only."""


@dataclass(frozen=True)
class Asked:
    """How the pasts are gone through. `startup_ms`: the 90th percentile of starts, NaN: as learnt, else a minute;
    `live`: the cluster's HPAs; `swept`: also what shortage costs at other settings."""

    settings: Settings
    controller: Controller
    days: int = 28
    startup_ms: float = math.nan
    site: Site = field(default_factory=Site)
    live: Sequence[LiveHpa] = ()
    swept: bool = False


@dataclass(frozen=True)
class Workload:
    """A policy and its past, milliseconds; what is before `since_ms` is learnt from only."""

    policy: ScalingPolicy
    given: Given
    since_ms: int
    until_ms: int


def workload(policy: ScalingPolicy, given: Given, days: int) -> Workload:
    """The newest days, after the first ones. Raises InvalidInput for a past that is too short."""
    load = given.load
    length = load.end_ms - load.start_ms
    if length < LEAST_MS:
        raise InvalidInput(
            f"the past of {policy.workload} has {length // MINUTE_MS} minutes",
            policy.key,
            "give it some days",
        )
    warm = min(WARM_DAYS * DAY_MS, length // 2)
    since = max(load.start_ms + warm, load.end_ms - days * DAY_MS) // MINUTE_MS * MINUTE_MS
    return Workload(policy, given, since, load.end_ms - (load.end_ms - since) % SYNC_MS)


def learnt(workloads: Sequence[Workload], asked: Asked, progress: Progress) -> list[dict[str, Forecasts]]:
    """By workload and signal what the engine said."""
    series = [
        Series(one.policy.series(signal).id, one.given.load, one.given.rows[signal.name])
        for one in workloads
        for signal in one.policy.spec.rates
    ]
    since = min(one.since_ms for one in workloads)
    calendars = calendars_of([one.policy for one in workloads])
    settings = asked.settings
    found = forecasts_of(
        series, since, calendars, settings.rate_window, progress, PRESETS[settings.forecast_preset]
    )
    return [
        {signal.name: found[one.policy.series(signal).id] for signal in one.policy.spec.rates}
        for one in workloads
    ]


def studied(
    workloads: Sequence[Workload],
    forecasts: Sequence[Mapping[str, Forecasts]],
    asked: Asked,
    jobs: int,
    progress: Progress,
) -> list[Study]:
    """Each workload's contenders, in the order of the workloads whatever the number of jobs."""
    if jobs == 1 or len(workloads) == 1:
        only = len(workloads) == 1
        return [
            _studied(one, said, asked, progress if only else silent)
            for one, said in zip(workloads, forecasts, strict=True)
        ]
    with ProcessPoolExecutor(jobs) as pool:
        pending = [
            pool.submit(_studied, one, said, asked, silent)
            for one, said in zip(workloads, forecasts, strict=True)
        ]
        for done, _ in enumerate(as_completed(pending), 1):
            progress(done, len(pending))
        return [one.result() for one in pending]


def scene_of(one: Workload, forecasts: Mapping[str, Forecasts], asked: Asked) -> Scene:
    """Cut in the middle, for an advice."""
    middle = one.since_ms + (one.until_ms - one.since_ms) // 2 // SYNC_MS * SYNC_MS
    past = past_of(one, forecasts, asked.settings)
    return Scene(past, _site(asked, one.given), asked.controller, one.since_ms, middle, one.until_ms)


def _studied(one: Workload, forecasts: Mapping[str, Forecasts], asked: Asked, progress: Progress) -> Study:
    past = past_of(one, forecasts, asked.settings)
    site = _site(asked, one.given)
    demand = past.demand.within(one.since_ms, one.until_ms)
    contenders = lineup(one.policy, asked.live, demand, asked.controller)
    if asked.swept:
        known = {contender.name for contender in contenders}
        others = (other for other in sweep(one.policy, asked.controller) if other.name not in known)
        contenders += [roomy(other, demand) for other in others]
    return study(contenders, past, site, one.since_ms, one.until_ms, progress)


def past_of(one: Workload, forecasts: Mapping[str, Forecasts], settings: Settings) -> Past:
    """What one replica gets through is what the policy plans with, but for drains that were learnt."""
    carries = {signal.name: signal.per_replica for signal in one.policy.spec.rates}
    for signal in one.policy.spec.signals:
        if signal.drain and signal.name in one.given.drains:
            carries[signal.drain.arrivals] = one.given.drains[signal.name]
    return Past(one.given.load, one.given.rows, carries, forecasts, one.given.lead_ms, settings)


def _site(asked: Asked, given: Given) -> Site:
    known = [ms for ms in (asked.startup_ms, given.startup_p90_ms) if not math.isnan(ms)]
    return replace(asked.site, startup=Startup(round(known[0]) if known else MINUTE_MS))
