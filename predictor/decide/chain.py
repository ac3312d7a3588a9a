"""The chain: freshness, the larger of raw and forecast, backlogs, hold and slow scale-down, replicas, and their bounds:
limits, schedules, and what is asked for a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.reasons import Reason
from predictor.decide.backlog import emptying
from predictor.decide.marks import mark
from predictor.decide.measured import Limits, Measured
from predictor.decide.needs import Now, fresh, larger, outdated, saturated
from predictor.decide.replicas import bound, replicas_of
from predictor.decide.rules import Bits, Doubles, Rules, Running
from predictor.decide.slow import SlowScaleDown


@dataclass(frozen=True)
class Decisions:
    """Per signal row, in its own unit: `need` before and `slowed` after the slow scale-down, `value` after the
    bounds; per workload row: `replicas` and their bounds. NaN where nothing may be served; the reasons say why."""

    need: Doubles
    slowed: Doubles
    value: Doubles
    reasons: Bits
    replicas: Doubles
    floor: Doubles
    ceiling: Doubles  # infinite where there is none
    replica_reasons: Bits


@dataclass(frozen=True)
class CalledFor:
    """Per signal row, in its own unit: what is fresh of the measured values, the need, and what of it is needed `again`
    soon; whether the measured value is a lower bound (`full`)."""

    raw: Doubles
    need: Doubles
    again: Doubles
    full: NDArray[np.bool_]
    reasons: Bits


def decide(
    rules: Rules, slow: SlowScaleDown, measured: Measured, running: Running, limits: Limits, now_ms: int
) -> Decisions:
    """One tick over all rows.

    `slow` is the chain's memory and takes this decision in.
    """
    return settle(rules, slow, called_for(rules, measured, limits, now_ms), running, now_ms)


def called_for(rules: Rules, measured: Measured, limits: Limits, now_ms: Now) -> CalledFor:
    """What is needed by what is known now, whatever was decided before.

    All of it may have leading axes before that of the rows: many moments at once, `now_ms` being theirs [..., 1].
    """
    raw, reasons = fresh(measured, limits, now_ms)
    need = larger(rules, raw, measured, limits, now_ms, reasons)
    need = emptying(rules, raw, need, measured.drain, reasons)
    unused = outdated(measured, limits, now_ms) | rules.backlog | rules.forced_raw
    again = np.where(unused, np.nan, measured.again)
    return CalledFor(raw, need, again, saturated(raw, measured, reasons), reasons)


def settle(rules: Rules, slow: SlowScaleDown, asked: CalledFor, running: Running, now_ms: int) -> Decisions:
    """What becomes of it: the slow scale-down, then replicas and their bounds; `slow` takes it in."""
    reasons = asked.reasons
    slowed = _slow(slow, asked, now_ms, reasons)
    bounds = rules.bounds(now_ms, running)
    replicas, replica_reasons = replicas_of(rules, slowed, asked.raw, running.wanted)
    replicas = bound(replicas, bounds, replica_reasons)
    value = bound(slowed, bounds.of(rules.workload_of, rules.per_replica), reasons)
    return Decisions(
        asked.need, slowed, value, reasons, replicas, bounds.floor, bounds.ceiling, replica_reasons
    )


def _slow(slow: SlowScaleDown, asked: CalledFor, now_ms: int, reasons: Bits) -> Doubles:
    """The largest of the window's largest need, the least value that the rate of decrease allows (none at all while
    the workload is saturated, as how much it needs is not known then), and what is needed `again` of what was served."""
    need, full = asked.need, asked.full
    held, least, kept = slow.hold(now_ms, need), slow.limit(now_ms, full), slow.keep(asked.again)
    known = np.isfinite(need)
    largest = np.maximum.reduce([held, least, kept])
    value = np.where(known, largest, np.nan)
    mark(reasons, known & (held > need) & (held == largest), Reason.HELD)
    mark(reasons, known & (least > held) & (least == largest) & ~full, Reason.SLOWED)
    mark(reasons, known & (kept > np.maximum(held, least)), Reason.KEPT)
    slow.serve(now_ms, value)
    return value
