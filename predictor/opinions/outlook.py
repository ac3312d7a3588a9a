"""What a model said of a series' next 24 hours, and what that means for a lead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import HOUR_MS
from predictor.grid import AT, LEADS_MS, MAX, T

Doubles = NDArray[np.float64]

LEADS = (3, 4)
"""Of LEADS_MS, those that have second opinions: 60 minutes and 6 hours."""


@dataclass(frozen=True)
class Outlook:
    """Roots of the hours' means (AT) and of their largest minutes (MAX) behind `end_ms`, [target, hour], and the
    standard deviations of their errors; `largest` is the largest load that the model has seen."""

    end_ms: int
    mean: Doubles
    deviation: Doubles
    largest: float

    def cells(self, now_ms: int) -> tuple[Doubles, Doubles]:
        """Mean and standard deviation, [lead of LEADS, target]; NaN where the outlook does not reach that far."""
        cells = [self._cell(target, now_ms, LEADS_MS[lead]) for lead in LEADS for target in range(T)]
        mean, deviation = np.array(cells).reshape(len(LEADS), T, 2).transpose(2, 0, 1)
        return mean, deviation

    def _cell(self, target: int, now_ms: int, lead_ms: int) -> tuple[float, float]:
        first, last = (now_ms - self.end_ms) / HOUR_MS, (now_ms + lead_ms - self.end_ms) / HOUR_MS
        hours = self.mean.shape[1]
        if first < 0 or last > hours:
            return np.nan, np.nan
        if target == MAX:  # the hours that the lead touches
            inside = slice(int(first), int(np.ceil(last)))
            largest = int(first) + int(self.mean[MAX, inside].argmax())
            return float(self.mean[MAX, largest]), float(self.deviation[MAX, largest])
        middles = np.arange(hours) + 0.5
        mean, deviation = (np.interp(last, middles, v[AT]) for v in (self.mean, self.deviation))
        return float(mean), float(deviation)


NOTHING = Outlook(0, np.empty((T, 0)), np.empty((T, 0)), np.inf)
"""Of a model that has not been fitted, or could not be."""
