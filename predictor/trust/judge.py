"""The verdict: what a day's record speaks against, and how long a forecast must behave until it is trusted again."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cme.core.distrust import Cause
from predictor.arrays import Floats, Known
from predictor.trust.baseline import LEVEL
from predictor.trust.record import Day

LEAST_COVERAGE = np.float32(0.90)
_DEVIATION = np.float32(0.3)  # of a single origin's coverage: sqrt(.9 x .1)
_ENOUGH = np.float32(0.6)
"""Of a day's origins must have been compared. With fewer the verdict stays as it is."""
_NOTHING = np.float32(0.01)
"""Of the load: so much in vain costs nobody a replica. Else a flat load would be decided by the last digit."""
Causes = NDArray[np.uint8]


class State(NamedTuple):
    """Per cell and series: days of good behavior still to come, 0 when trusted; and why trust was lost."""

    wait: Floats
    causes: Causes


PROBATION_DAYS = np.float32(2)


def faults(day: Day, independent: Floats) -> Causes:
    """What was worse than the opponent's by more than chance explains.

    `independent` origins are as many as leads fit into the time that was compared. The margin is one standard error of
    a mean of so many values that vary as much as they are large: 6 % at a lead of 5 min, 45 % at 6 h.
    """
    noise = 1 / np.sqrt(np.maximum(independent, 1))
    nothing = _NOTHING * day.load
    found = {
        Cause.LOSS: day.loss > (1 + noise) * day.baseline_loss + (1 - LEVEL) * nothing,
        Cause.OVER: day.over > (1 + noise) * day.baseline_over + nothing,
        Cause.COVERAGE: day.covered < (LEAST_COVERAGE - _DEVIATION * noise) * day.count,
    }
    return np.asarray(sum(np.uint8(cause) * bad for cause, bad in found.items()), dtype=np.uint8)


def judged(state: State, found: Causes, share: Floats, days: Floats) -> State:
    """The state after `days` more, given what the record speaks against and the `share` of a day that it holds."""
    enough: Known = share >= _ENOUGH
    bad = enough & (found > 0)
    left = np.maximum(state.wait - np.where(enough, days, 0), 0)
    wait = np.where(bad, PROBATION_DAYS, left).astype(np.float32)
    causes = np.where(bad, found, np.where(wait > 0, state.causes, 0))
    return State(wait, causes.astype(np.uint8))
