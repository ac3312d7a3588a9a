"""The backlog of a queue: how many replicas empty it in time.

It depends on what we run, so it is not forecast as a rate is: what arrives is. n replicas that get through d items/s each
empty a backlog B within W while a items/s arrive if n d W >= B + a W.
"""

import numpy as np

from cme.core.reasons import Reason
from predictor.decide.marks import mark
from predictor.decide.rules import Bits, Doubles, Rules

LEAST_SHARE = 0.25
"""Of the arrivals' perReplica a replica is taken to get through at least: one that stands still would call for more and
more replicas, which would stand still too."""


def emptying(rules: Rules, raw: Doubles, need: Doubles, drain: Doubles, reasons: Bits) -> Doubles:
    """The needs with those of backlogs: the replicas that empty `raw` in time, times perReplica; at least one replica
    while there is a backlog. `drain` is learnt, in items/s per replica, NaN where it is not yet."""
    arrivals = need[..., rules.arrivals_of]  # of rows that are no backlog, anything
    planned = rules.per_replica[rules.arrivals_of]
    taken = np.where(np.isnan(drain), planned, np.maximum(drain, LEAST_SHARE * planned))
    replicas = (raw / rules.within_s + arrivals) / taken
    replicas = np.where(raw > 0, np.maximum(replicas, 1), replicas)
    known = rules.backlog & np.isfinite(raw)
    counted = known & np.isfinite(arrivals)
    mark(reasons, counted, Reason.BACKLOG)
    mark(reasons, counted & np.isnan(drain), Reason.DRAIN_UNLEARNT)
    mark(reasons, counted & (drain < taken), Reason.DRAIN_BOUNDED)
    mark(reasons, known & ~counted, Reason.ARRIVALS_MISSING)
    return np.where(rules.backlog, replicas * rules.per_replica, need)
