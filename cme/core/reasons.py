"""Why a number was decided: up to 63 bits of one integer, so that a decision of thousands of rows is one column.

A log keeps them for weeks: a bit never gets another meaning.
"""

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from cme.core.distrust import Cause

_UNTRUSTED = 13
"""The first of the bits that say why a forecast is not trusted, in the order of `Cause`."""


class Reason(IntFlag):
    """Each bit is one step of the chain that changed or questioned the value."""

    NONE = 0
    RAW = 1 << 0
    FORECAST = 1 << 1
    ESTIMATED = 1 << 2
    UNCALIBRATED = 1 << 3
    FORECAST_MISSING = 1 << 4
    FORECAST_STALE = 1 << 5
    HELD = 1 << 6
    SLOWED = 1 << 7
    SCHEDULE_FLOOR = 1 << 8
    SCHEDULE_CEILING = 1 << 9
    MISSING = 1 << 10
    STALE = 1 << 11
    PARTIAL = 1 << 12
    UNTRUSTED_LOSS = Cause.LOSS << _UNTRUSTED
    UNTRUSTED_OVER = Cause.OVER << _UNTRUSTED
    UNTRUSTED_COVERAGE = Cause.COVERAGE << _UNTRUSTED
    SATURATED = 1 << 16
    QUANTILE_CAPPED = 1 << 17
    SCHEDULE_AHEAD = 1 << 18
    SCHEDULE_RAMP = 1 << 19
    SCHEDULE_CONFLICT = 1 << 20
    SCHEDULE_TOLERANCE = 1 << 21
    SCHEDULE_UNHEEDED = 1 << 22
    KEPT = 1 << 23
    LIMIT_FLOOR = 1 << 24
    LIMIT_CEILING = 1 << 25
    BACKLOG = 1 << 26
    DRAIN_UNLEARNT = 1 << 27
    DRAIN_BOUNDED = 1 << 28
    ARRIVALS_MISSING = 1 << 29
    PAUSED = 1 << 30
    FORCED_RAW = 1 << 31
    PINNED = 1 << 32
    LEAD_UNLEARNT = 1 << 33
    QUOTA_CEILING = 1 << 34
    NOWCAST = 1 << 35


FIXED = int(Reason.PAUSED | Reason.PINNED)
"""A number with one of these rests on no measurement."""


EXPLANATIONS = {
    Reason.RAW: "the measured value is the largest need",
    Reason.FORECAST: "the forecast exceeds the measured value",
    Reason.NOWCAST: "what is expected of the next two minutes exceeds the measured value",
    Reason.FORCED_RAW: "the policy's annotation forbids forecasts; the measured value stands alone",
    Reason.BACKLOG: "what empties the backlog within drain.within while what is forecast arrives",
    Reason.DRAIN_UNLEARNT: "how much one replica gets through is not learnt yet; the arrivals' perReplica is taken",
    Reason.DRAIN_BOUNDED: "one replica was found to get through less than a quarter of the arrivals' perReplica; that"
    " quarter is taken: do the consumers work, and are there more replicas than partitions?",
    Reason.ARRIVALS_MISSING: "what arrives has no fresh value, so it is not known what empties the backlog",
    Reason.ESTIMATED: "some parts did not answer; the sum was divided by the coverage",
    Reason.LEAD_UNLEARNT: "no start of a replica has been seen yet, so lead: auto looks five minutes ahead",
    Reason.UNCALIBRATED: "the forecast has too few errors of its own yet and uses those of all series",
    Reason.FORECAST_MISSING: "there is no forecast yet; the measured value stands alone",
    Reason.FORECAST_STALE: "the forecast is too old; the measured value stands alone",
    Reason.UNTRUSTED_LOSS: "the forecast is not trusted: over a day its loss was above that of the last value with its"
    " own quantile; it is left out",
    Reason.UNTRUSTED_OVER: "the forecast is not trusted: over a day it provided more in vain than the last value with"
    " its own quantile; it is left out",
    Reason.UNTRUSTED_COVERAGE: "the forecast is not trusted: over a day its .95 quantile covered less than .90; it"
    " is left out",
    Reason.QUANTILE_CAPPED: "a quantile above .99 needs 1000 errors of its own at the lead; .99 is covered",
    Reason.SATURATED: "the workload is saturated: its load is at least what was measured, so nothing is decreased",
    Reason.HELD: "held at the largest need within the scale-down window",
    Reason.KEPT: "not let go, for the forecast says that it is needed again within scaleDown.hold",
    Reason.SLOWED: "the decrease is limited by scaleDown.maxDecrease",
    Reason.SCHEDULE_FLOOR: "raised to the minReplicas of an active schedule",
    Reason.SCHEDULE_AHEAD: "raised to the minReplicas of a schedule that starts within the lead",
    Reason.SCHEDULE_RAMP: "raised by the ramp to the minReplicas of a schedule that starts soon",
    Reason.SCHEDULE_TOLERANCE: "raised above the floor, for the HPA would ignore it as within its tolerance",
    Reason.SCHEDULE_UNHEEDED: "the floor is within the HPA's tolerance and maxReplicas forbids to serve more,"
    " so it is not reached; give the HPA scaleUp.tolerance 0 and say so in the policy, or raise maxReplicas",
    Reason.SCHEDULE_CEILING: "lowered to the maxReplicas of an active schedule",
    Reason.SCHEDULE_CONFLICT: "one schedule's minReplicas is above another's maxReplicas; the floor wins",
    Reason.PAUSED: "the policy is paused: what runs is served, and nothing changes",
    Reason.PINNED: "the policy is pinned to this number for a time",
    Reason.LIMIT_FLOOR: "raised to limits.minReplicas",
    Reason.QUOTA_CEILING: "lowered to limits.quotaShare of the namespace's quota",
    Reason.LIMIT_CEILING: "lowered to limits.maxReplicas",
    Reason.MISSING: "the signal has no value",
    Reason.STALE: "the signal's newest value is too old",
    Reason.PARTIAL: "a signal is missing; the others call for more than runs now",
}


def reasons_of(causes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Why forecasts are left out whose `Cause`s these are."""
    return np.asarray(causes.astype(np.int64) << _UNTRUSTED)


def codes(reasons: int) -> list[str]:
    """Names of the bits that are set, in the order of the chain: `["forecast", "held"]`."""
    return [str(r.name).lower() for r in EXPLANATIONS if reasons & r]


def explain(reasons: int) -> list[str]:
    """The same as sentences."""
    return [text for r, text in EXPLANATIONS.items() if reasons & r]
