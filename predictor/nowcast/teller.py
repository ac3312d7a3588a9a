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
from predictor.trust.baseline import Baseline
from predictor.trust.judge import State, faults, judged
from predictor.trust.record import Day, Record, compared

ROWS_A_STANDING = 60
_LEARNS_ROWS = 300
"""Of a series: before that what is told is mostly the engine's, which has a judge of its own."""
_MEDIAN, _UPPER = 0, QUANTILES.index(0.95)
_DAY = round(DAY_MS / EVERY_MS)  # in rows
_ROW_DAYS = np.ones(1, dtype=np.float32) / np.float32(_DAY)


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
    """Something told whose truth is still to come; loads [series]."""

    seen: Sight
    median: Doubles
    upper: Doubles
    baseline: Doubles

    def save(self) -> dict[str, NDArray[Any]]:
        return self.seen._asdict() | {name: getattr(self, name) for name in self._fields[1:]}

    @classmethod
    def loaded(cls, saved: Mapping[str, NDArray[Any]], prefix: str) -> "Origin":
        """Raises KeyError when something is missing."""
        seen = Sight(*(saved[f"{prefix}.{name}"] for name in Sight._fields))
        return cls(seen, *(saved[f"{prefix}.{name}"] for name in cls._fields[1:]))


class Teller:
    """All series' rows come at one time, one every EVERY_MS. Trust is lost and regained as that in the engine's forecasts is."""

    def __init__(self) -> None:
        self._arrays = Arrays()
        self._regression = Regression(self._arrays)
        self._baseline, self._record = Baseline(self._arrays, np.ones(1), _DAY), Record(self._arrays, 1, _DAY)
        self._arrays.declare("trust.wait", (1,))
        self._arrays.declare("trust.causes", (1,), dtype="uint8")
        self._rows = 0
        self.standing = self._stand()

    def grow(self, count: int) -> None:
        """Take in new series."""
        self._arrays.grow(count)
        self.standing = self._stand()

    def origin(self, seen: Sight) -> Origin:
        """To be learnt from later."""
        told = seen.load(self.standing.weights.tell(seen.x))
        baseline = self._baseline.quantile(_single(seen.base**2))[0]
        return Origin(seen, told[_MEDIAN], told[_UPPER], baseline.astype(float))

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
        return Standing(self._regression.weights, self._arrays["trust.causes"][0] == 0)

    def _compare(self, origin: Origin, came: Doubles) -> None:
        enough = self._regression.rows > _LEARNS_ROWS
        truth, known = _single(came), np.isfinite(came + origin.upper)
        median, upper, baseline = map(_single, (origin.median, origin.upper, origin.baseline))
        self._record.begin(self._rows)
        self._record.learn(self._rows, slice(None), compared(truth, median, upper, baseline, known & enough))
        errors = truth - _single(origin.seen.base**2)
        self._baseline.learn(slice(None), np.where(known, errors, np.float32(0))[None], known)
        self._judge(Day(*self._record.sums()))

    def _judge(self, day: Day) -> None:
        wait, causes = self._arrays["trust.wait"], self._arrays["trust.causes"]
        share = day.count / np.float32(_DAY)
        found = faults(day, share * np.float32(DAY_MS / SOON_MS))
        wait[:], causes[:] = judged(State(wait, causes), found, share, _ROW_DAYS)


def _single(values: Doubles) -> Floats:
    return values.astype(np.float32)
