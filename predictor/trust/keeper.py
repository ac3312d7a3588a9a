"""Trust in the forecasts of a block: compares, records and judges on each beat."""

import numpy as np
from numpy.typing import NDArray

from cme.core.distrust import packed
from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.grid import AT, Grid, L, T
from predictor.history import Bin
from predictor.trust.bounds import Bounds, certain, raised
from predictor.trust.record import FIGURES
from predictor.trust.verdict import MEDIAN, UPPER, Verdict


class Trust:
    """All in the series' own units. Forecasts of closed beats are compared, on the origins that a lead learns from."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        self._verdict = Verdict(arrays, grid.strides, grid.cell_beats.astype(float), grid.day)
        self._bounds = Bounds(arrays, grid)
        self._delay = Delay(arrays, "trust.origins", grid, (4,))
        self._cells = [T * lead + target for lead in grid.leads for target in range(T)]

    @property
    def saturated(self) -> Known:
        """Whether the newest beat saw a saturated workload, [series]."""
        return self._bounds.saturated

    def see(self, beat: int, measured: Bin, largest: Floats) -> Bin:
        """Take in what a beat measured; returns it as history should keep it, given the `largest` load ever, [series]."""
        self._bounds.see(measured.saturated)
        shortest = self._grid.horizons[0]
        return raised(measured, self._delay.due(shortest, beat)[AT, MEDIAN], largest)

    def learn(self, beat: int, measured: Bin, truth: Floats, known: Known) -> Known:
        """Compare the origins one lead ago with `truth` [C, series]; returns where the truth may teach, [C, series]."""
        due = {horizon: self._delay.due(horizon, beat) for horizon in self._grid.due(beat)}
        upper = np.full(truth.shape, np.inf, dtype=np.float32)  # nobody forecast: no lower bound teaches
        for horizon, origin in due.items():
            upper[horizon.cells] = np.where(np.isnan(origin[:, UPPER]), np.inf, origin[:, UPPER])
        newest = np.tile(np.stack([measured.last, measured.largest]), (len(self._grid.leads), 1))
        may_teach = certain(known, self._bounds.lower(), newest, upper)
        self._verdict.record.begin(beat)
        for horizon, origin in due.items():
            counted = may_teach[horizon.cells] & np.isfinite(origin).all(axis=1)
            self._verdict.compare(beat, horizon.cells, truth[horizon.cells], origin, counted, counted)
        return may_teach

    def remember(self, beat: int, last: Floats, served: Floats) -> None:
        """Keep an origin: `last` [series], NaN where nothing was seen and hence nothing served; `served` [C, Q, series]."""
        baseline = self._verdict.baseline.quantile(last)
        for horizon in self._grid.begun(beat):
            median, upper = served[horizon.cells, 0], served[horizon.cells, 2]
            lasts = np.broadcast_to(last, median.shape)
            self._delay.keep(horizon, beat, np.stack([lasts, baseline[horizon.cells], median, upper], axis=1))

    def distrust(self) -> NDArray[np.uint32]:
        """[series], packed over all leads and targets: cell lead * 2 + target."""
        causes = np.zeros((L * T, self._arrays.series), dtype=np.uint8)
        causes[self._cells] = self._verdict.causes
        return packed(causes)

    def figures(self) -> Floats:
        """The record of the last day, [FIGURES, lead * 2 + target, series]; zeros for leads that the grid has not."""
        figures = np.zeros((len(FIGURES), L * T, self._arrays.series), dtype=np.float32)
        figures[:, self._cells] = self._verdict.record.sums()
        return figures
