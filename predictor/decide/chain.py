"""The chain: freshness, the larger of raw and forecast, hold and slow scale-down, limits and schedules, and replicas."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.readings import Flag
from cme.core.reasons import Reason, reasons_of
from predictor.decide.rules import Bits, Bounds, Doubles, Rules
from predictor.decide.slow import SlowScaleDown


@dataclass(frozen=True)
class Measured:
    """What is known of each signal row now; NaN where nothing is."""

    raw: Doubles
    raw_ms: NDArray[np.int64]  # the sample's time
    flags: NDArray[np.uint8]
    predicted: Doubles  # the policy's quantile of the largest load within its lead
    predicted_ms: NDArray[np.int64]  # when it was made
    uncalibrated: NDArray[np.bool_]
    capped: NDArray[np.bool_]  # a quantile of .99 instead of a higher one
    causes: NDArray[np.uint8]  # `Cause`s for which the forecast is not trusted; 0: it is
    again: Doubles  # as `predicted`, of the largest load within the hold time; NaN where that is not trusted


@dataclass(frozen=True)
class Limits:
    """From the settings: how old a value may be."""

    signal_stale_ms: int
    forecast_stale_ms: int


@dataclass(frozen=True)
class Decisions:
    """Per signal row, in its own unit: `need` before and `slowed` after the slow scale-down, `value` after the
    bounds; per workload row: `replicas`, `floor`. NaN where nothing may be served; the reasons say why."""

    need: Doubles
    slowed: Doubles
    value: Doubles
    reasons: Bits
    replicas: Doubles
    floor: Doubles
    replica_reasons: Bits


def decide(
    rules: Rules, slow: SlowScaleDown, measured: Measured, running: Doubles, limits: Limits, now_ms: int
) -> Decisions:
    """One tick over all rows. `running` [workload]: replicas that the workload should have now, NaN if unknown.

    `slow` is the chain's memory and takes this decision in.
    """
    raw, reasons = _fresh(measured, limits, now_ms)
    need = _larger(raw, measured, limits, now_ms, reasons)
    again = np.where(_outdated(measured, limits, now_ms), np.nan, measured.again)
    slowed = _slow(slow, need, again, _saturated(raw, measured, reasons), now_ms, reasons)
    bounds = rules.bounds(now_ms, running)
    replicas, replica_reasons = _replicas(rules, slowed, running)
    replicas = _bound(replicas, bounds, replica_reasons)
    value = _bound(slowed, bounds.of(rules.workload_of, rules.per_replica), reasons)
    return Decisions(need, slowed, value, reasons, replicas, bounds.floor, replica_reasons)


def _fresh(measured: Measured, limits: Limits, now_ms: int) -> tuple[Doubles, Bits]:
    """The raw values that are fresh enough, NaN for the others."""
    missing = np.isnan(measured.raw)
    # A time far ahead is that of a clock which was set back since: its age is as unknown as if it were old.
    stale = ~missing & (np.abs(now_ms - measured.raw_ms) > limits.signal_stale_ms)
    estimated = (measured.flags & np.uint8(Flag.ESTIMATED)) > 0
    reasons = np.zeros(len(missing), dtype=np.int64)
    _mark(reasons, missing, Reason.MISSING)
    _mark(reasons, stale, Reason.STALE)
    _mark(reasons, ~missing & ~stale & estimated, Reason.ESTIMATED)
    return np.where(stale, np.nan, measured.raw), reasons


def _larger(raw: Doubles, measured: Measured, limits: Limits, now_ms: int, reasons: Bits) -> Doubles:
    """max(raw, forecast): a burst that no forecast announced must still be served. A forecast that is not trusted is
    left out."""
    known = np.isfinite(raw)
    absent = known & np.isnan(measured.predicted)
    stale = known & ~absent & _outdated(measured, limits, now_ms)
    fresh = known & ~absent & ~stale
    usable = fresh & (measured.causes == 0)
    ahead = usable & (measured.predicted > raw)
    _mark(reasons, absent, Reason.FORECAST_MISSING)
    _mark(reasons, stale, Reason.FORECAST_STALE)
    reasons |= np.where(fresh, reasons_of(measured.causes), 0)
    _mark(reasons, usable & measured.uncalibrated, Reason.UNCALIBRATED)
    _mark(reasons, usable & measured.capped, Reason.QUANTILE_CAPPED)
    _mark(reasons, ahead, Reason.FORECAST)
    _mark(reasons, known & ~ahead, Reason.RAW)
    return np.where(ahead, measured.predicted, raw)


def _outdated(measured: Measured, limits: Limits, now_ms: int) -> NDArray[np.bool_]:
    """Where the forecast is too old."""
    return np.asarray(np.abs(now_ms - measured.predicted_ms) > limits.forecast_stale_ms)


def _saturated(raw: Doubles, measured: Measured, reasons: Bits) -> NDArray[np.bool_]:
    """Where the measured value is a lower bound of the load."""
    saturated = np.isfinite(raw) & ((measured.flags & np.uint8(Flag.SATURATED)) > 0)
    _mark(reasons, saturated, Reason.SATURATED)
    return saturated


def _slow(
    slow: SlowScaleDown,
    need: Doubles,
    again: Doubles,
    saturated: NDArray[np.bool_],
    now_ms: int,
    reasons: Bits,
) -> Doubles:
    """The largest of the window's largest need, the least value that the rate of decrease allows (none at all while
    the workload is saturated, as how much it needs is not known then), and what is needed `again` of what was served."""
    held, least, kept = slow.hold(now_ms, need), slow.limit(now_ms, saturated), slow.keep(again)
    known = np.isfinite(need)
    largest = np.maximum.reduce([held, least, kept])
    value = np.where(known, largest, np.nan)
    _mark(reasons, known & (held > need) & (held == largest), Reason.HELD)
    _mark(reasons, known & (least > held) & (least == largest) & ~saturated, Reason.SLOWED)
    _mark(reasons, known & (kept > np.maximum(held, least)), Reason.KEPT)
    slow.serve(now_ms, value)
    return value


def _replicas(rules: Rules, value: Doubles, running: Doubles) -> tuple[Doubles, Bits]:
    """Replicas that all signals of a workload call for.

    With a signal missing the others count only if they call for more than runs now: the rule by which the HPA
    itself treats a missing metric.
    """
    count = len(rules.replica_ids)
    wanted, missing = np.full(count, -np.inf), np.zeros(count, dtype=bool)
    # A float's dust must not cost a replica: 3 x 40 / 40 may come out as 3.0000000000000004.
    each = np.ceil(np.round(value / rules.per_replica, 9))
    np.fmax.at(wanted, rules.workload_of, each)
    np.logical_or.at(missing, rules.workload_of, np.isnan(value))
    reasons = np.zeros(count, dtype=np.int64)
    partial = missing & (wanted > np.nan_to_num(running, nan=np.inf))
    _mark(reasons, partial, Reason.PARTIAL)
    _mark(reasons, missing & ~partial, Reason.MISSING)
    return np.where(missing & ~partial, np.nan, wanted), reasons


def _bound(value: Doubles, bounds: Bounds, reasons: Bits) -> Doubles:
    """Between floor and ceiling; what is unknown stays unknown."""
    reasons |= np.where(value < bounds.floor, bounds.floor_reasons, 0)
    reasons |= np.where(value > bounds.ceiling, bounds.ceiling_reasons, 0)
    return np.minimum(np.maximum(value, bounds.floor), bounds.ceiling)


def _mark(reasons: Bits, where: NDArray[np.bool_], reason: Reason) -> None:
    reasons[where] |= np.int64(reason)
