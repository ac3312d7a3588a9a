"""What each signal calls for now: what was measured, if it is fresh, or what is forecast."""

import numpy as np
from numpy.typing import NDArray

from cme.core.readings import Flag
from cme.core.reasons import Reason, reasons_of
from predictor.decide.marks import mark
from predictor.decide.measured import Limits, Measured
from predictor.decide.rules import Bits, Doubles, Rules

Now = int | NDArray[np.int64]
"""One moment, or one for each along the leading axes of what is given."""


def fresh(measured: Measured, limits: Limits, now_ms: Now) -> tuple[Doubles, Bits]:
    """The raw values that are fresh enough, NaN for the others."""
    missing = np.isnan(measured.raw)
    # A time far ahead is that of a clock which was set back since: its age is as unknown as if it were old.
    stale = ~missing & (np.abs(now_ms - measured.raw_ms) > limits.signal_stale_ms)
    estimated = (measured.flags & np.uint8(Flag.ESTIMATED)) > 0
    reasons = np.zeros(missing.shape, dtype=np.int64)
    mark(reasons, missing, Reason.MISSING)
    mark(reasons, stale, Reason.STALE)
    mark(reasons, ~missing & ~stale & estimated, Reason.ESTIMATED)
    return np.where(stale, np.nan, measured.raw), reasons


def larger(
    rules: Rules, raw: Doubles, measured: Measured, limits: Limits, now_ms: Now, reasons: Bits
) -> Doubles:
    """max(raw, forecast): a burst that no forecast announced must still be served. Where a forecast is not trusted the nowcast
    stands for it; the one of a backlog is left out, and any that the policy forbids."""
    known = np.isfinite(raw) & ~rules.backlog
    asked = known & ~rules.forced_raw
    absent = asked & np.isnan(measured.predicted)
    stale = asked & ~absent & outdated(measured, limits, now_ms)
    current = asked & ~absent & ~stale
    usable = current & (measured.causes == 0)
    told = np.where(usable, measured.predicted, np.where(current, measured.soon, np.nan))
    ahead = told > raw
    mark(reasons, known & rules.forced_raw, Reason.FORCED_RAW)
    mark(reasons, absent, Reason.FORECAST_MISSING)
    mark(reasons, stale, Reason.FORECAST_STALE)
    reasons |= np.where(current, reasons_of(measured.causes), 0)
    mark(reasons, usable & measured.lead_unlearnt, Reason.LEAD_UNLEARNT)
    mark(reasons, usable & measured.uncalibrated, Reason.UNCALIBRATED)
    mark(reasons, usable & measured.capped, Reason.QUANTILE_CAPPED)
    mark(reasons, ahead & usable, Reason.FORECAST)
    mark(reasons, ahead & ~usable, Reason.NOWCAST)
    mark(reasons, known & ~ahead, Reason.RAW)
    return np.where(ahead, told, raw)


def outdated(measured: Measured, limits: Limits, now_ms: Now) -> NDArray[np.bool_]:
    """Where the forecast is too old."""
    return np.asarray(np.abs(now_ms - measured.predicted_ms) > limits.forecast_stale_ms)


def saturated(raw: Doubles, measured: Measured, reasons: Bits) -> NDArray[np.bool_]:
    """Where the measured value is a lower bound of the load."""
    full = np.isfinite(raw) & ((measured.flags & np.uint8(Flag.SATURATED)) > 0)
    mark(reasons, full, Reason.SATURATED)
    return full
