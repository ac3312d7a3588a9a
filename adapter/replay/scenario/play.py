"""A scenario played: production's engine, chain and HPA on the model of its cluster, and what was so at each sync."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adapter.replay.forecasts import Forecasts, Series, no_forecasts
from adapter.replay.learning import forecasts_of
from adapter.replay.lineup import lineup
from adapter.replay.load import Doubles, minutes_of
from adapter.replay.outcome import outcome
from adapter.replay.past import Past
from adapter.replay.scenario.figures import Whole
from adapter.replay.scenario.scenario import Scenario
from adapter.replay.simulate import SYNC_MS, Sync, simulate
from adapter.replay.study import Study, study
from cme.collector.replicas import lead_ms
from cme.core.durations import HOUR_MS
from cme.core.progress import Progress, silent
from predictor.calendar import calendars_of
from predictor.decide.chain import Decisions
from predictor.presets import PRESETS


class Moment(NamedTuple):
    """After a sync."""

    now_ms: int
    replicas: int
    """That the HPA wants."""
    ready: int
    """Pods that carry load."""
    served: float
    """`replicas_scaling`; NaN: an error was served, or the HPA asks for no decision."""
    reasons: int
    """Of the replicas and of all signals."""
    why: str
    """The HPA's."""
    values: dict[str, float]
    """Of each signal: what was measured, or waits."""
    predicted: dict[str, float]
    """Of each signal that is forecast; NaN: nothing was."""


@dataclass(frozen=True)
class Played:
    moments: Sequence[Moment]
    whole: Whole
    past: Past


def play(scenario: Scenario, progress: Progress = silent) -> Played:
    """From its start to its end; the engine has learnt the history before."""
    past = past_of(scenario, progress)
    span = scenario.since_ms, scenario.until_ms
    watch = _Watch(scenario, past.measured(np.arange(*span, SYNC_MS)))
    (run,) = simulate([scenario.contender], past, scenario.site, *span, watch=watch.take)
    truth = Past(scenario.came, scenario.rows, scenario.carries, {})
    demand = truth.demand.within(*span)
    found = outcome(demand, run.cluster.ready, run.cluster.paid)
    return Played(watch.moments, Whole(found, scenario.cores), past)


def compared(scenario: Scenario, played: Played) -> Study:
    """The scenario's policy beside what it could be compared with; the demand is what was measured of it."""
    own, span = scenario.contender, (scenario.since_ms, scenario.until_ms)
    assert own.autoscaler, "a scenario has an HPA"
    _, *others = lineup(own.policy, (), played.past.demand.within(*span), own.autoscaler.controller)
    return study([own, *others], played.past, scenario.site, *span)


def past_of(scenario: Scenario, progress: Progress = silent) -> Past:
    """As production knows it: what was measured, and what the engine said of it."""
    return Past(
        scenario.seen,
        scenario.rows,
        scenario.carries,
        _forecasts(scenario, progress),
        lead_ms(scenario.site.startup.p90_ms, scenario.settings),
        scenario.settings,
    )


def _forecasts(scenario: Scenario, progress: Progress) -> dict[str, Forecasts]:
    if not scenario.learns:
        nothing = no_forecasts(minutes_of(scenario.seen))
        return dict.fromkeys(scenario.rows, nothing)
    policy = scenario.contender.policy
    ids = {one.name: policy.series(one).id for one in policy.spec.signals if one.name in scenario.rows}
    made = forecasts_of(
        [Series(ids[signal], scenario.seen, row) for signal, row in scenario.rows.items()],
        scenario.since_ms - HOUR_MS,
        calendars_of([policy]),
        scenario.settings.rate_window,
        progress,
        PRESETS[scenario.settings.forecast_preset],
    )
    return {signal: made[number] for signal, number in ids.items()}


@dataclass
class _Watch:
    """Notes what was so at each sync."""

    scenario: Scenario
    measured: Doubles
    """[signal, sync]"""
    moments: list[Moment] = field(default_factory=list)

    def take(self, sync: Sync) -> None:
        (run,), (step,), place = sync.runs, sync.steps, len(self.moments)
        values = {one: float(self.measured[row, place]) for one, row in self.scenario.rows.items()}
        self.moments.append(
            Moment(
                now_ms=sync.now_ms,
                replicas=run.wanted,
                ready=run.cluster.carrying,
                served=float(sync.decided.replicas[0]) if sync.decided else float("nan"),
                reasons=_reasons(sync.decided),
                why=str(step.why) if step else "",
                values=values | run.backlog,
                predicted=self._predicted(sync),
            )
        )

    def _predicted(self, sync: Sync) -> dict[str, float]:
        if sync.predicted is None:
            return {}
        rows = zip(self.scenario.contender.policy.spec.signals, sync.predicted.tolist(), strict=True)
        return {signal.name: value for signal, value in rows if signal.drain is None}


def _reasons(decided: Decisions | None) -> int:
    """Of the replicas and of all signals together, as the status of a policy tells them."""
    if decided is None:
        return 0
    return int(np.bitwise_or.reduce(np.concatenate([decided.replica_reasons, decided.reasons])))
