"""What became of forecasts: sums over the last day, per series and cell."""

from dataclasses import dataclass, fields

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.trust.baseline import LEVEL

_QUARTERS = 4  # of a day, that have ended, and the one that is open


@dataclass(frozen=True, slots=True)
class Day:
    """Sums over the origins of the last day whose truth came, [cell, series]; of the .95 quantile where not said."""

    count: Floats
    covered: Floats  # how often the truth was not above it
    baseline_covered: Floats
    loss: Floats  # pinball
    baseline_loss: Floats
    over: Floats  # provided in vain: what it was above the truth
    baseline_over: Floats
    bias: Floats  # truth less median
    load: Floats  # the truths themselves


FIGURES = tuple(field.name for field in fields(Day))


class Record:
    """A ring of six-hour sums: unlike a decayed sum it forgets a bad day wholly, however bad it was."""

    def __init__(self, arrays: Arrays, cells: int, day: int) -> None:
        """A `day` has so many beats."""
        self._arrays, self._quarter = arrays, day // _QUARTERS
        arrays.declare("trust.record", (_QUARTERS + 1, len(FIGURES), cells))

    def begin(self, beat: int) -> None:
        """Once on every beat, before it is learned: the oldest quarter makes room when a new one begins."""
        if beat % self._quarter == 0:
            self._open(beat)[:] = 0

    def learn(self, beat: int, cells: slice, one: Day) -> None:
        """Add an origin of some cells."""
        for figure, name in enumerate(FIGURES):
            self._open(beat)[figure, cells] += getattr(one, name)

    def sums(self, cells: slice = slice(None)) -> Floats:
        """Of some cells the last 24 to 30 hours, [FIGURES, cell, series]."""
        return np.asarray(self._arrays["trust.record"][:, :, cells].sum(axis=0))

    def _open(self, beat: int) -> Floats:
        quarter: Floats = self._arrays["trust.record"][beat // self._quarter % (_QUARTERS + 1)]
        return quarter


def compared(truth: Floats, median: Floats, ours: Floats, baseline: Floats, known: Known) -> Day:
    """One origin's share, [n, series] each; 0 where not `known`."""

    def counted(values: Floats) -> Floats:
        return np.where(known, values, np.float32(0))

    over, baseline_over = np.maximum(ours - truth, 0), np.maximum(baseline - truth, 0)
    return Day(
        count=known.astype(np.float32),
        covered=counted((truth <= ours).astype(np.float32)),
        baseline_covered=counted((truth <= baseline).astype(np.float32)),
        loss=counted(_pinball(truth - ours, over)),
        baseline_loss=counted(_pinball(truth - baseline, baseline_over)),
        over=counted(over),
        baseline_over=counted(baseline_over),
        bias=counted(truth - median),
        load=counted(truth),
    )


def _pinball(short: Floats, over: Floats) -> Floats:
    """Of the .95 quantile: `short` is truth less quantile, `over` what the quantile was above the truth."""
    return np.asarray(LEVEL * np.maximum(short, 0) + (1 - LEVEL) * over)
