"""The seasonal profile: day and week as they usually go, moved by a learned share of the present deviation."""

import numpy as np

from predictor import seasons as season
from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.features import PROFILE, Moment
from predictor.grid import Grid, Horizon

_MEMORY_DAYS = 14


class Profile:
    """F(t, h) = P + rho (z15(t) - P'(t)).

    P: half the exponentially weighted day, half the week, of the target; P': the usual level now; z15: the mean of
    15 minutes. rho per cell = sum(x y) / sum(x x) in [0, 1], decayed over 14 days, with x the deviation at the
    origin and y = truth - P.
    """

    name = "profile"

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        self._delay = Delay(arrays, "profile.origins", grid, (2,))
        arrays.declare("profile.xy", (grid.cells,))
        arrays.declare("profile.xx", (grid.cells,))
        self._decay = np.exp(-grid.strides / (_MEMORY_DAYS * grid.day)).astype(np.float32)[:, None]

    def point(self, moment: Moment) -> Floats:
        rho = self._arrays["profile.xy"] / np.maximum(self._arrays["profile.xx"], np.float32(1e-30))
        point = _usual(moment.season) + np.clip(rho, 0, 1, dtype=np.float32) * moment.above
        moment.features[:, PROFILE] = moment.normal(point)
        return np.asarray(point, dtype=np.float32)

    def remember(self, horizon: Horizon, moment: Moment) -> None:
        usual = _usual(moment.season[horizon.cells])
        above = np.broadcast_to(moment.above, usual.shape)
        self._delay.keep(horizon, moment.beat, np.stack([usual, above], axis=1))

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        due, cells = self._delay.due(horizon, beat), horizon.cells
        y, x = truth - due[:, 0], due[:, 1]
        good = known & np.isfinite(y)
        for name, product in (("profile.xy", x * y), ("profile.xx", x * x)):
            sums = self._arrays[name][cells]
            sums *= np.where(good, self._decay[cells], 1)
            sums += np.where(good, product, 0)


def _usual(of: Floats) -> Floats:
    """[C, series] from the statistics [C, statistic, series]."""
    return np.asarray(np.float32(0.5) * (of[:, season.EW_DAY] + of[:, season.EW_WEEK]))
