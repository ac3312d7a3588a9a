"""The seasonal profile: the day as it usually goes, moved by a learnt share of today's deviation."""

from typing import ClassVar

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.experts.protocol import Observation
from predictor.grid import AT, BEATS_PER_DAY, LEAD_BEATS, LONGEST, MAX, L, T

ALPHA = np.float32(1 - 0.5**0.5)  # half of a slot's weight is in its last two days
DECAY = np.float32(np.exp(-1 / (14 * BEATS_PER_DAY)))
DAYS_NEEDED = 2  # a profile made of one day repeats that day's accidents

_LEADS = np.arange(L)
_BEATS = np.array(LEAD_BEATS)


class Profile:
    """F(t, h) = P(slot of the target) + rho_h (z(t) - P_at(slot of t)).

    P is one exponentially weighted mean per slot of the day: for `at` by the slot of the value, for `max` one
    profile of window maxima per lead by the slot of the origin. rho_h = sum(xy)/sum(xx), decayed over 14 days,
    clipped to [0, 1]; x = deviation from the profile at the origin, y = at the target. Until a slot has been
    seen on two days F is the last value.
    """

    name: ClassVar[str] = "profile"

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        arrays.declare("profile.at", (BEATS_PER_DAY,), np.nan)
        arrays.declare("profile.max", (L, BEATS_PER_DAY), np.nan)
        arrays.declare("profile.days", (BEATS_PER_DAY,))
        arrays.declare("profile.base", (LONGEST + 1, T, L), np.nan)  # P(slot of the target), by origin
        arrays.declare("profile.deviation", (LONGEST + 1,), np.nan)  # x, by origin
        arrays.declare("profile.xy", (T, L))
        arrays.declare("profile.xx", (T, L))

    def learn(self, seen: Observation, truth: Floats) -> None:
        self._learn_share(seen.beat, truth)
        self._learn_profile(seen, truth)
        ring = seen.beat % (LONGEST + 1)
        self._arrays["profile.base"][ring] = self._base(seen.beat)
        self._arrays["profile.deviation"][ring] = seen.last - self._now(seen.beat)

    def points(self, seen: Observation) -> Floats:
        xx = self._arrays["profile.xx"]
        rho = np.clip(self._arrays["profile.xy"] / np.maximum(xx, np.float32(1e-12)), 0, 1)
        base = self._base(seen.beat)
        points = base + rho * (seen.last - self._now(seen.beat))
        known = self._arrays["profile.days"][(seen.beat + _BEATS) % BEATS_PER_DAY] >= DAYS_NEEDED
        return np.where(known & np.isfinite(points), points, seen.last).astype(np.float32)

    def _now(self, beat: int) -> Floats:
        now: Floats = self._arrays["profile.at"][beat % BEATS_PER_DAY]
        return now

    def _base(self, beat: int) -> Floats:
        """[target, lead, series]"""
        at = self._arrays["profile.at"][(beat + _BEATS) % BEATS_PER_DAY]
        largest = self._arrays["profile.max"][_LEADS, beat % BEATS_PER_DAY]
        return np.stack([at, largest])

    def _learn_share(self, beat: int, truth: Floats) -> None:
        origins = (beat - _BEATS) % (LONGEST + 1)
        base = self._arrays["profile.base"][origins, :, _LEADS].swapaxes(0, 1)
        x = self._arrays["profile.deviation"][origins]
        y = truth - base
        good = np.isfinite(y) & np.isfinite(x)
        xy, xx = self._arrays["profile.xy"], self._arrays["profile.xx"]
        xy[:] = DECAY * xy + np.where(good, x * y, 0)
        xx[:] = DECAY * xx + np.where(good, x * x, 0)

    def _learn_profile(self, seen: Observation, truth: Floats) -> None:
        slot = seen.beat % BEATS_PER_DAY
        at, largest = self._arrays["profile.at"], self._arrays["profile.max"]
        at[slot] = _blend(at[slot], truth[AT, 0])
        origin_slots = (seen.beat - _BEATS) % BEATS_PER_DAY
        largest[_LEADS, origin_slots] = _blend(largest[_LEADS, origin_slots], truth[MAX])
        self._arrays["profile.days"][slot] += np.isfinite(truth[AT, 0])


def _blend(old: Floats, new: Floats) -> Floats:
    """Move `old` towards `new`; a gap in either takes the other."""
    moved = old + ALPHA * (new - old)
    return np.where(np.isnan(old), new, np.where(np.isnan(new), old, moved))
