"""The policy chain of several policies over one load: what does not depend on earlier decisions for all syncs at once."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TypeVar

import numpy as np

from adapter.replay.load import Times
from adapter.replay.past import Past
from cme.core.policy import Drain, ScalingPolicy
from predictor.decide.chain import CalledFor, Decisions, called_for, settle
from predictor.decide.measured import Limits, Measured
from predictor.decide.rules import Doubles, Running, compile_rules
from predictor.decide.slow import SlowScaleDown

Columns = TypeVar("Columns", CalledFor, Measured)


class Chain:
    """Decides for all policies at each of `times_ms`, in their order."""

    def __init__(self, policies: Sequence[ScalingPolicy], past: Past, times_ms: Times) -> None:
        self.rules = compile_rules(policies)
        self._slow, self._times = SlowScaleDown(self.rules), times_ms
        self._limits = Limits(past.settings.signal_stale_ms, past.settings.forecast_stale_after)
        self._lead = np.full(len(policies), past.learnt_lead_ms)
        self._quota = np.full(len(policies), np.nan)
        self._measured = _measured(policies, past, times_ms)
        self._asked = called_for(self.rules, self._measured, self._limits, times_ms[:, None])

    def decide(self, sync: int, wanted: Doubles, backlog: Doubles | None) -> Decisions:
        """At the sync of that number, in order; `wanted` replicas run of each workload. `backlog` [signal row] is what waits
        now, None where the rules have none."""
        now_ms = int(self._times[sync])
        asked = _row(self._asked, sync)
        if backlog is not None:
            measured = _row(self._measured, sync)
            measured = replace(measured, raw=np.where(self.rules.backlog, backlog, measured.raw))
            asked = called_for(self.rules, measured, self._limits, now_ms)
        return settle(self.rules, self._slow, asked, Running(wanted, self._lead, self._quota), now_ms)

    def predicted(self, sync: int) -> Doubles:
        """What was forecast for each signal row."""
        return np.asarray(self._measured.predicted[sync])


_NAMES = {kind: tuple(one.name for one in fields(kind)) for kind in (CalledFor, Measured)}


def _row(columns: Columns, sync: int) -> Columns:
    """Of columns [sync, signal row] those of one sync."""
    kind = type(columns)
    return kind(*[getattr(columns, name)[sync] for name in _NAMES[kind]])


def _measured(policies: Sequence[ScalingPolicy], past: Past, times_ms: Times) -> Measured:
    """All of it, [sync, signal row]."""
    raw = past.measured(times_ms)
    soon = {name: said.soon(times_ms) for name, said in past.forecasts.items()}
    rows = [
        _of_rate(past, policy, signal.name, raw[past.rows[signal.name]], soon[signal.name], times_ms)
        if signal.drain is None
        else _of_backlog(past, signal.drain, times_ms)
        for policy in policies
        for signal in policy.spec.signals
    ]
    return Measured(*(np.stack([getattr(row, name) for row in rows], axis=1) for name in _NAMES[Measured]))


def _of_rate(
    past: Past, policy: ScalingPolicy, signal: str, raw: Doubles, soon: Doubles, times_ms: Times
) -> Measured:
    """[sync]: what one policy looks at of a signal that is forecast."""
    forecasts, spec, nothing = past.forecasts[signal], policy.spec, _nothing(times_ms)
    minutes, quantile = forecasts.newest(times_ms), spec.forecast.covered
    lead_ms, hold_ms = spec.forecast.lead_ms(past.learnt_lead_ms), spec.scale_down.hold
    ahead = forecasts.chosen(times_ms, raw, soon, lead_ms, quantile)
    return replace(
        nothing,
        raw=raw,
        lead_ms=np.full(len(times_ms), lead_ms),
        predicted=ahead.values,
        soon=ahead.soon,
        predicted_ms=np.where(minutes >= 0, forecasts.ends_ms[minutes], 0),
        uncalibrated=ahead.uncalibrated,
        capped=ahead.capped,
        causes=ahead.causes,
        again=forecasts.chosen(times_ms, raw, soon, hold_ms, quantile).trusted if hold_ms else nothing.again,
    )


def _of_backlog(past: Past, drain: Drain, times_ms: Times) -> Measured:
    """[sync]: all but the backlog itself, which depends on what runs."""
    return replace(_nothing(times_ms), drain=np.full(len(times_ms), past.carries[drain.arrivals]))


def _nothing(times_ms: Times) -> Measured:
    unknown, never = np.full(len(times_ms), np.nan), np.zeros(len(times_ms), dtype=bool)
    none = np.zeros(len(times_ms), dtype=np.uint8)
    return Measured(
        raw=unknown,
        raw_ms=times_ms,
        flags=none,
        lead_ms=unknown,
        lead_unlearnt=never,
        predicted=unknown,
        soon=unknown,
        predicted_ms=np.zeros(len(times_ms), dtype=np.int64),
        uncalibrated=never,
        capped=never,
        causes=none,
        again=unknown,
        drain=unknown,
    )
