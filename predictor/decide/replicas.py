"""Replicas of all signals of a workload, and the bounds of both."""

import numpy as np

from cme.core.reasons import Reason
from predictor.decide.marks import mark
from predictor.decide.rules import Bits, Bounds, Doubles, Rules


def replicas_of(rules: Rules, value: Doubles, raw: Doubles, running: Doubles) -> tuple[Doubles, Bits]:
    """Replicas that all signals of a workload call for.

    With a signal missing the others count only if they call for more than runs now: the rule by which the HPA
    itself treats a missing metric. A backlog in `raw` calls for one replica at least, also while it is not known what
    empties it: so it wakes a workload that has none.
    """
    # A float's dust must not cost a replica: 3 x 40 / 40 may come out as 3.0000000000000004.
    each = np.ceil(np.round(value / rules.per_replica, 9))
    each = np.fmax(each, np.where(rules.backlog & (raw > 0), 1, -np.inf))
    reasons = np.zeros(len(rules.first_of), dtype=np.int64)
    if not len(reasons):  # reduceat takes no empty rows
        return np.empty(0), reasons
    wanted = np.fmax.reduceat(each, rules.first_of)
    missing = np.logical_or.reduceat(np.isnan(value), rules.first_of)
    partial = missing & (wanted > running)
    lacking = missing & ~partial
    mark(reasons, partial, Reason.PARTIAL)
    mark(reasons, lacking, Reason.MISSING)
    return np.where(lacking, np.nan, wanted), reasons


def bound(value: Doubles, bounds: Bounds, reasons: Bits) -> Doubles:
    """Between floor and ceiling; what is unknown stays unknown, but for what is fixed without it."""
    reasons |= np.where(value < bounds.floor, bounds.floor_reasons, 0)
    reasons |= np.where(value > bounds.ceiling, bounds.ceiling_reasons, 0)
    bounded = np.minimum(np.maximum(value, bounds.floor), bounds.ceiling)
    if (fixed := bounds.fixed) is None:
        return bounded
    reasons |= np.where(fixed, bounds.floor_reasons, 0)
    return np.where(fixed, bounds.floor, bounded)
