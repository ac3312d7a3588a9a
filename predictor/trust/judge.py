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
"""Of the load: so much in vain costs nobody a replica, and a flat load is not decided by the last digit."""

Causes = NDArray[np.uint8]


class State(NamedTuple):
    """Per cell and series: days of good behavior still to come, 0 when trusted; and why trust was lost."""

    wait: Floats
    causes: Causes


PROBATION_DAYS = np.float32(2)


def faults(day: Day, independent: Floats) -> Causes:
    """What was worse than the opponent's by more than chance explains.

    `independent` origins are as many as leads fit into the time that was compared: 288 of a day at 5 min, 4 at 6 h. Loss and
    over-provision may exceed the opponent's by two standard errors of a mean of so many values that vary as much as
    they are large (by 12 % at 5 min, by their own size at 6 h), coverage may fall short of .90 by one. To have provided less in
    vain counts for the opponent only where it covered what it promised, or no less than we did: else it was short instead. And
    what we provided in vain is no fault where it paid: where the loss, which weighs it against the shortage that it avoided, was
    below the opponent's.
    """
    noise = 1 / np.sqrt(np.maximum(independent, 1))
    most, nothing = 1 + 2 * noise, _NOTHING * day.load
    honest = day.baseline_covered >= np.minimum(day.covered, LEVEL * day.count)
    unpaid = day.loss >= day.baseline_loss
    found = {
        Cause.LOSS: day.loss > most * day.baseline_loss + (1 - LEVEL) * nothing,
        Cause.OVER: honest & unpaid & (day.over > most * day.baseline_over + nothing),
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
