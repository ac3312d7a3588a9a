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
    count = len(rules.replica_ids)
    wanted, missing = np.full(count, -np.inf), np.zeros(count, dtype=bool)
    # A float's dust must not cost a replica: 3 x 40 / 40 may come out as 3.0000000000000004.
    each = np.ceil(np.round(value / rules.per_replica, 9))
    each = np.fmax(each, np.where(rules.backlog & (raw > 0), 1, -np.inf))
    np.fmax.at(wanted, rules.workload_of, each)
    np.logical_or.at(missing, rules.workload_of, np.isnan(value))
    reasons = np.zeros(count, dtype=np.int64)
    partial = missing & (wanted > np.nan_to_num(running, nan=np.inf))
    mark(reasons, partial, Reason.PARTIAL)
    mark(reasons, missing & ~partial, Reason.MISSING)
    return np.where(missing & ~partial, np.nan, wanted), reasons


def bound(value: Doubles, bounds: Bounds, reasons: Bits) -> Doubles:
    """Between floor and ceiling; what is unknown stays unknown, but for what is fixed without it."""
    reasons |= np.where(value < bounds.floor, bounds.floor_reasons, 0)
    reasons |= np.where(value > bounds.ceiling, bounds.ceiling_reasons, 0)
    reasons |= np.where(bounds.fixed, bounds.floor_reasons, 0)
    bounded = np.minimum(np.maximum(value, bounds.floor), bounds.ceiling)
    return np.where(bounds.fixed, bounds.floor, bounded)
