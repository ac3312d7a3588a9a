"""Trust in the forecasts of a block: compares, records and judges on each beat."""

import numpy as np
from numpy.typing import NDArray

from cme.core.distrust import packed
from predictor.arrays import Arrays, Floats, Known
from predictor.delay import Delay
from predictor.grid import AT, Grid, L, T
from predictor.history import Bin
from predictor.trust.baseline import Baseline
from predictor.trust.bounds import Bounds, certain, raised
from predictor.trust.judge import State, faults, judged
from predictor.trust.record import Day, Record, compared

_LAST, _BASELINE, _MEDIAN, _UPPER = range(4)


class Trust:
    """All in the series' own units. Forecasts of closed beats are compared, on the origins that a lead learns from."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        self._baseline, self._record = Baseline(arrays, grid), Record(arrays, grid)
        self._bounds = Bounds(arrays, grid)
        self._delay = Delay(arrays, "trust.origins", grid, (4,))
        arrays.declare("trust.wait", (grid.cells,))
        arrays.declare("trust.causes", (grid.cells,), dtype="uint8")
        self._days = (grid.cell_strides / grid.day).astype(np.float32)[:, None]
        self._leads = (grid.cell_beats / grid.day).astype(np.float32)[:, None]
        self._cells = [T * lead + target for lead in grid.leads for target in range(T)]

    @property
    def saturated(self) -> Known:
        """Whether the newest beat saw a saturated workload, [series]."""
        return self._bounds.saturated

    def see(self, beat: int, measured: Bin, largest: Floats) -> Bin:
        """Take in what a beat measured; returns it as history should keep it, given the `largest` load ever, [series]."""
        self._bounds.see(measured.saturated)
        return raised(measured, self._delay.due(beat)[AT, _MEDIAN], largest)

    def learn(self, beat: int, measured: Bin, truth: Floats, known: Known) -> Known:
        """Compare the origins one lead ago with `truth` [C, series]; returns where the truth may teach, [C, series]."""
        due = self._delay.due(beat)
        newest = np.tile(np.stack([measured.last, measured.largest]), (len(self._grid.leads), 1))
        n = len(due)
        upper = np.full(truth.shape, np.inf, dtype=np.float32)  # nobody forecast: no lower bound teaches
        upper[:n] = np.where(np.isnan(due[:, _UPPER]), np.inf, due[:, _UPPER])
        may_teach = certain(known, self._bounds.lower(), newest, upper)
        self._compare(beat, truth[:n], due, may_teach[:n] & np.isfinite(due).all(axis=1))
        return may_teach

    def remember(self, beat: int, last: Floats, served: Floats) -> None:
        """Keep an origin: `last` [series], NaN where nothing was seen and hence nothing served; `served` [C, Q, series]."""
        median, upper = served[:, 0], served[:, 2]
        lasts = np.broadcast_to(last, median.shape)
        self._delay.swap(beat, np.stack([lasts, self._baseline.quantile(last), median, upper], axis=1))

    def distrust(self) -> NDArray[np.uint32]:
        """[series], packed over all leads and targets: cell lead * 2 + target."""
        causes = np.zeros((L * T, self._arrays.series), dtype=np.uint8)
        causes[self._cells] = self._arrays["trust.causes"]
        return packed(causes)

    def day(self) -> Day:
        """The record of the last day, [C, series]."""
        return self._record.day(self._grid.cells)

    def _compare(self, beat: int, truth: Floats, due: Floats, known: Known) -> None:
        n = len(due)
        one = compared(truth, due[:, _MEDIAN], due[:, _UPPER], due[:, _BASELINE], known)
        self._record.learn(beat, one)
        self._baseline.learn(np.where(known, truth - due[:, _LAST], 0), known)
        self._judge(self._record.day(n))

    def _judge(self, day: Day) -> None:
        n = len(day.count)
        wait, causes = self._arrays["trust.wait"][:n], self._arrays["trust.causes"][:n]
        share = day.count * self._days[:n]
        found = faults(day, share / self._leads[:n])
        wait[:], causes[:] = judged(State(wait, causes), found, share, self._days[:n])
