"""The largest value of the last hour."""

from typing import ClassVar

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.experts.protocol import Observation
from predictor.grid import L, T


class RecentMax:
    """F(t, h) = max z over (t - 60 min, t] for every target and lead."""

    name: ClassVar[str] = "recent_max"

    def __init__(self, arrays: Arrays) -> None:
        """Needs no memory."""

    def learn(self, seen: Observation, truth: Floats) -> None:
        """Has nothing to learn."""

    def points(self, seen: Observation) -> Floats:
        return np.broadcast_to(seen.hour_max, (T, L, len(seen.last))).astype(np.float32)
