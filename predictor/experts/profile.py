"""The seasonal profile: day and week as they usually go, moved by a learned share of the present deviation."""

import numpy as np

from predictor import seasons as season
from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.features import PROFILE, Moment
from predictor.grid import Grid

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
        self._decay = np.exp(-grid.cell_strides / (_MEMORY_DAYS * grid.day)).astype(np.float32)[:, None]

    def point(self, moment: Moment) -> Floats:
        rho = self._arrays["profile.xy"] / np.maximum(self._arrays["profile.xx"], np.float32(1e-30))
        point = self._usual(moment) + np.clip(rho, 0, 1, dtype=np.float32) * moment.above
        moment.features[:, PROFILE] = moment.normal(point)
        return np.asarray(point, dtype=np.float32)

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        due = self._delay.due(beat)
        n = len(due)
        y, x = truth[:n] - due[:, 0], due[:, 1]
        good = known[:n] & np.isfinite(y)
        for name, product in (("profile.xy", x * y), ("profile.xx", x * x)):
            sums = self._arrays[name][:n]
            sums *= np.where(good, self._decay[:n], 1)
            sums += np.where(good, product, 0)

    def remember(self, moment: Moment) -> None:
        usual = self._usual(moment)
        self._delay.swap(moment.beat, np.stack([usual, np.broadcast_to(moment.above, usual.shape)], axis=1))

    def _usual(self, moment: Moment) -> Floats:
        return np.asarray(
            np.float32(0.5) * (moment.season[:, season.EW_DAY] + moment.season[:, season.EW_WEEK])
        )
