"""A point forecast and the quantiles of its own standardized errors."""

from typing import Protocol

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.calibration.errors import Errors
from predictor.calibration.tracker import Tracker
from predictor.delay import Delay
from predictor.features import Moment
from predictor.grid import Grid

_FLOOR = np.float32(1e-6)  # of the level: a flat series keeps a band of next to nothing


class Point(Protocol):
    """One number per cell and series."""

    name: str

    def point(self, moment: Moment) -> Floats:
        """Roots [C, series] for the origin `moment`; changes nothing but its own rows of the moment's features."""

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        """`truth` [C, series], roots: what the origins one lead ago were asked for; `known` where it counts."""

    def remember(self, moment: Moment) -> None:
        """Keep what `learn` will need of this origin."""


class Calibrated:
    """F_q = point + b_q s: s the expected size of the point's error, b_q a tracked quantile of error / s."""

    def __init__(self, arrays: Arrays, grid: Grid, point: Point, slots: int = 1) -> None:
        self.name, self.point = point.name, point
        self.errors = Errors(arrays, point.name, grid)
        self._tracker = Tracker(arrays, point.name, grid, slots)
        self._delay = Delay(arrays, f"{point.name}.calibrated", grid, (2,))

    def quantiles(self, moment: Moment) -> tuple[Floats, Floats]:
        """Roots [C, Q, series], and [C, 2, series] to remember."""
        point = self.point.point(moment)
        scale = self.errors.scale(moment.beat, _FLOOR * (moment.base + moment.scale) + np.float32(1e-9))
        quantiles = point[:, None] + self._tracker.quantiles(moment.beat) * scale[:, None]
        return quantiles, np.stack([point, scale], axis=1)

    def remember(self, moment: Moment, kept: Floats) -> None:
        self._delay.swap(moment.beat, kept)
        self.point.remember(moment)

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        due = self._delay.due(beat)
        n = len(due)
        errors = truth[:n] - due[:, 0]
        good = known[:n] & np.isfinite(errors)
        errors = np.where(good, errors, np.float32(0))
        self.errors.learn(beat, errors, good)
        scale = np.where(good, due[:, 1], np.float32(1)).astype(np.float32)
        self._tracker.learn(beat, errors / scale, good)
        self.point.learn(beat, truth, known)
