"""What is told from a sight, what is learnt when its truth has come, and whether it still deserves to be told."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import DAY_MS
from cme.core.policy import SOON_MS
from predictor.arrays import Arrays, Floats, Known
from predictor.grid import QUANTILES
from predictor.nowcast.regression import EVERY_MS, Regression, Weights
from predictor.nowcast.sight import Doubles, Sight
from predictor.trust.verdict import BASELINE, LAST, MEDIAN, UPPER, Verdict

ROWS_A_STANDING = 60
_LEARNS_ROWS = 300
"""Of a series: before that what is told is mostly the engine's, which has a judge of its own."""
_DAY = round(DAY_MS / EVERY_MS)  # in rows


class Standing(NamedTuple):
    """How it is told until the next one."""

    weights: Weights
    trusted: Known  # [series]

    def of(self, series: int) -> "Standing":
        """Of one series, at many moments."""
        return Standing(self.weights.of(series), self.trusted[series, None])

    def tell(self, seen: Sight) -> Doubles:
        """[Q, series], loads; NaN where nothing is known or what is told is not trusted."""
        return np.where(self.trusted, seen.load(self.weights.tell(seen.x)), np.nan)


class Origin(NamedTuple):
    """Something told whose truth is still to come."""

    seen: Sight
    told: Floats  # [1, 4, series], loads, as a verdict takes them

    def save(self) -> dict[str, NDArray[Any]]:
        return self.seen._asdict() | {"told": self.told}

    @classmethod
    def loaded(cls, saved: Mapping[str, NDArray[Any]], prefix: str) -> "Origin":
        """Raises KeyError when something is missing."""
        seen = Sight(*(saved[f"{prefix}.{name}"] for name in Sight._fields))
        return cls(seen, saved[f"{prefix}.told"])


class Teller:
    """All series' rows come at one time, one every EVERY_MS. Trust is lost and regained as that in the engine's forecasts is."""

    def __init__(self) -> None:
        self._arrays = Arrays()
        self._regression = Regression(self._arrays)
        self._verdict = Verdict(self._arrays, np.ones(1), np.array([SOON_MS / EVERY_MS]), _DAY)
        self._rows = 0
        self.standing = self._stand()

    def grow(self, count: int) -> None:
        """Take in new series."""
        self._arrays.grow(count)
        self.standing = self._stand()

    def origin(self, seen: Sight) -> Origin:
        """To be learnt from later."""
        quantiles, last = seen.load(self.standing.weights.tell(seen.x)), (seen.base**2).astype(np.float32)
        told = np.empty((1, 4, len(last)), dtype=np.float32)
        told[0, LAST], told[0, BASELINE] = last, self._verdict.baseline.quantile(last)[0]
        told[0, MEDIAN], told[0, UPPER] = quantiles[0], quantiles[QUANTILES.index(0.95)]
        return Origin(seen, told)

    def learn(self, origin: Origin, truth: Doubles) -> bool:
        """`truth` [series], loads, NaN where unknown. Returns whether there is a new standing."""
        self._regression.learn(origin.seen.x, origin.seen.rooted(truth))
        self._compare(origin, truth)
        self._rows += 1
        if self._rows % ROWS_A_STANDING:
            return False
        self.standing = self._stand()
        return True

    def save(self) -> dict[str, NDArray[Any]]:
        arrays = {name: self._arrays[name] for name in self._arrays}
        standing = {f"standing.{name}": array for name, array in self.standing.weights._asdict().items()}
        standing |= {"standing.trusted": self.standing.trusted, "standing.rows": np.array(self._rows)}
        return arrays | self._regression.save() | standing

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Raises ValueError or KeyError when it is not of this version's shapes."""
        self._regression.load(saved)
        self._arrays.load(saved)
        self._rows = int(saved["standing.rows"])
        weights = Weights(*(saved[f"standing.{name}"] for name in Weights._fields))
        self._regression.weights = weights
        self.standing = Standing(weights, saved["standing.trusted"])

    def _stand(self) -> Standing:
        self._regression.solve()
        return Standing(self._regression.weights, self._verdict.causes[0] == 0)

    def _compare(self, origin: Origin, truth: Doubles) -> None:
        known = np.isfinite(truth + origin.told[0, UPPER])[None]
        enough = self._regression.rows > _LEARNS_ROWS
        self._verdict.record.begin(self._rows)
        came = truth[None].astype(np.float32)
        self._verdict.compare(self._rows, slice(None), came, origin.told, known, known & enough)
