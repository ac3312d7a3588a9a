"""The largest of the last six hours: slow to let go, as a careful operator is."""

from predictor.arrays import Floats, Known
from predictor.features import NAMES, Moment
from predictor.grid import Horizon

_PEAK = NAMES.index("max360")


class Peak:
    """F(t, h) = max z(s), t - 6 h < s <= t, for every cell."""

    name = "peak"

    def point(self, moment: Moment) -> Floats:
        return moment.root(moment.features[:, _PEAK])

    def remember(self, horizon: Horizon, moment: Moment) -> None:
        """Has nothing to remember."""

    def learn(self, horizon: Horizon, beat: int, truth: Floats, known: Known) -> None:
        """Has nothing to learn."""
