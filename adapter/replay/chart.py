"""What a chart shows of a study, at times that it has room for."""

from dataclasses import dataclass

import numpy as np

from adapter.replay.load import Doubles, Times
from adapter.replay.outcome import Changes, Demand, numbers_at
from adapter.replay.past import Past
from cme.core.durations import MINUTE_MS
from cme.core.overrides import bounds_of
from cme.core.policy import ScalingPolicy
from cme.core.schedules import Told

MOST_POINTS = 5_000


@dataclass(frozen=True)
class Background:
    """Of a policy, [time] of each, in replicas; NaN where nothing is known, floors 0 and ceilings infinite where there
    is none. `median` and `covered` (the policy's quantile) are those of the largest load within the lead, as forecast
    at that time."""

    lead_ms: float
    quantile: float
    median: Doubles
    covered: Doubles
    floor: Doubles
    ceiling: Doubles


def times_of(demand: Demand) -> Times:
    """Starts of steps of whole minutes that cover the demand's time."""
    first, last = int(demand.edges_ms[0]), int(demand.edges_ms[-1])
    return np.arange(first, last, MINUTE_MS * -(-(last - first) // (MOST_POINTS * MINUTE_MS)))


def background(policy: ScalingPolicy, past: Past, times_ms: Times) -> Background:
    """Without what runs: how far a floor is raised beyond an HPA's tolerance is not in it."""
    forecast, told = policy.spec.forecast, Told(lead_ms=past.learnt_lead_ms)
    lead_ms = forecast.lead_ms(past.learnt_lead_ms)
    bounds = [bounds_of(policy, now, told) for now in times_ms.tolist()]
    return Background(
        lead_ms,
        forecast.covered,
        _ahead(past, times_ms, lead_ms, 0.5),
        _ahead(past, times_ms, lead_ms, forecast.covered),
        np.array([bound.floor for bound in bounds]),
        np.array([bound.ceiling for bound in bounds]),
    )


def _ahead(past: Past, times_ms: Times, lead_ms: float, quantile: float) -> Doubles:
    """[time]: the replicas that carry the quantile of every signal that is forecast."""
    raw = past.measured(times_ms)
    needs = [
        one.chosen(times_ms, raw[past.rows[name]], one.soon(times_ms), lead_ms, quantile).values
        / past.carries[name]
        for name, one in past.forecasts.items()
    ]
    return np.asarray(np.max(needs, axis=0)) if needs else np.full(len(times_ms), np.nan)


def largest(demand: Demand, times_ms: Times) -> Doubles:
    """[time]: the largest demand until the next time, NaN where none is known."""
    first = np.searchsorted(demand.edges_ms, times_ms, side="right") - 1
    return np.asarray(np.fmax.reduceat(demand.needed, first))


def missing(demand: Demand, ready: Changes, times_ms: Times) -> Doubles:
    """[time]: how many replicas were missing until the next time, as a mean; exact."""
    starts, spans, needed = demand.pieces([*times_ms.tolist(), *(time for time, _ in ready)])
    gaps = np.fmax(needed - numbers_at(ready, starts), 0) * spans
    steps = np.diff(np.append(times_ms, demand.edges_ms[-1]))
    return np.asarray(np.add.reduceat(gaps, np.searchsorted(starts, times_ms)) / steps)
