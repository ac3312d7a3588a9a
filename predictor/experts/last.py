"""The last value: what a plain HPA uses."""

from typing import ClassVar

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.experts.protocol import Observation
from predictor.grid import L, T


class Last:
    """F(t, h) = z(t) for every target and lead."""

    name: ClassVar[str] = "last"

    def __init__(self, arrays: Arrays) -> None:
        """Needs no memory."""

    def learn(self, seen: Observation, truth: Floats) -> None:
        """Has nothing to learn."""

    def points(self, seen: Observation) -> Floats:
        return np.broadcast_to(seen.last, (T, L, len(seen.last))).astype(np.float32)
