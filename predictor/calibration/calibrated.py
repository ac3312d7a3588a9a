"""A point forecast and the quantiles of its own standardized errors."""

from typing import Protocol

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.calibration.errors import Errors
from predictor.calibration.tracker import Tracker
from predictor.delay import Delay
from predictor.features import Moment
from predictor.grid import Grid, Horizon

_FLOOR = np.float32(1e-6)  # of the level: a flat series keeps a band of next to nothing


class Point(Protocol):
    """One number per cell and series."""

    name: str

    def point(self, moment: Moment) -> Floats:
        """Roots [C, series] for the origin `moment`; changes nothing but its own rows of the moment's features."""

    def remember(self, horizon: Horizon, moment: Moment) -> None:
        """Keep what `learn` will need of this origin."""

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """`truth` [T, series], roots: what the origin one lead ago was asked for; `known` where it counts."""


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
        scale = self.errors.scale(moment.beat, band_floor(moment))
        quantiles = point[:, None] + self._tracker.quantiles(moment.beat) * scale[:, None]
        return quantiles, np.stack([point, scale], axis=1)

    def remember(self, horizon: Horizon, moment: Moment, kept: Floats) -> None:
        self._delay.keep(horizon, moment.beat, kept)
        self.point.remember(horizon, moment)

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        due = self._delay.due(horizon, beat)
        errors = truth - due[:, 0]
        good = known & np.isfinite(errors)
        errors = np.where(good, errors, np.float32(0))
        self.errors.learn(horizon, beat, errors, good)
        scale: Floats = np.where(good, due[:, 1], np.float32(1))
        self._tracker.learn(horizon, beat, (errors / scale)[:, None], good)
        self.point.learn(horizon, beat, truth, known)


def band_floor(moment: Moment) -> Floats:
    """The least size of error to expect, [series]."""
    return np.asarray(_FLOOR * (moment.base + moment.scale) + np.float32(1e-9))
