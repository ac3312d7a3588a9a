"""The experts of an engine, in the order in which they fill in one another's features."""

from collections.abc import Callable

from predictor.arrays import Arrays, Floats
from predictor.calibration.calibrated import Calibrated
from predictor.experts.last import Last
from predictor.experts.own import Own
from predictor.experts.peak import Peak
from predictor.experts.pooled import Pooled
from predictor.experts.profile import Profile
from predictor.experts.protocol import Expert
from predictor.experts.ridge import Ridge, SharedRidge
from predictor.features import BIASES, ERRORS, Moment, rows_of
from predictor.grid import Grid
from predictor.pool import Pool

_SLOTS = 8  # of the day, for errors that know the time of day


class RidgeExpert(Calibrated):
    """The ridge; its past errors are features of its own and of the experts after it."""

    def quantiles(self, moment: Moment) -> tuple[Floats, Floats]:
        means = moment.scaled(self.errors.means())
        moment.features[:, rows_of(ERRORS[:3])] = means[:, :3]
        moment.features[:, rows_of(BIASES)] = means[:, 3:]
        moment.features[:, rows_of(ERRORS[3:])] = moment.scaled(self.errors.at_target(moment.beat))[:, None]
        return super().quantiles(moment)


REGISTRY: dict[str, Callable[[Arrays, Grid, Pool], Expert]] = {
    "last": lambda arrays, grid, pool: Calibrated(arrays, grid, Last(grid), _SLOTS),
    "peak": lambda arrays, grid, pool: Calibrated(arrays, grid, Peak()),
    "profile": lambda arrays, grid, pool: Calibrated(arrays, grid, Profile(arrays, grid), _SLOTS),
    "ridge": lambda arrays, grid, pool: RidgeExpert(arrays, grid, Ridge(arrays, grid, pool), _SLOTS),
    "shared_ridge": lambda arrays, grid, pool: RidgeExpert(arrays, grid, SharedRidge(grid, pool), _SLOTS),
    "pooled": lambda arrays, grid, pool: Pooled(arrays, grid, pool),
    "own": lambda arrays, grid, pool: Own(arrays, grid, pool),
}
TRUSTED_AT_FIRST = {"last": 3, "pooled": 3}
"""How many times the weight of another they have in a young series: what the others go by it has not shown yet."""
