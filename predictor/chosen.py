"""What a policy takes from a forecast: its quantile of the largest load within a time, and the doubts about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.distrust import unpacked
from cme.core.policy import SOON_MS
from predictor.between import at_quantile, between
from predictor.decide.rules import Doubles
from predictor.engine import Forecast
from predictor.grid import LEADS_MS, MAX, QUANTILES, L, Q, T

_HIGHEST = QUANTILES[-1]
_LEVELS = Q + 1  # of doubts: the grid's quantiles and all above

_CELLS = np.array(
    [
        [sum(1 << (lead * _LEVELS + q) for lead in range(longest + 1)) for q in range(_LEVELS)]
        for longest in range(L)
    ],
    dtype=np.uint32,
)
"""[lead, level]: the bits of doubt of a quantile at all leads up to one."""

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """Per signal row."""

    values: Doubles
    soon: Doubles  # of the nowcast, which stands where the values are not trusted; NaN where there is none
    uncalibrated: Flags
    capped: Flags  # the quantile served is .99, as the series lacks the errors for a higher one
    causes: NDArray[np.uint8]  # `Cause`s for which the forecast is not trusted

    @property
    def trusted(self) -> Doubles:
        """The values, NaN where they are not trusted."""
        return np.where(self.causes == 0, self.values, np.nan)


def nothing(count: int) -> Chosen:
    never = np.zeros(count, dtype=bool)
    unknown = np.full(count, np.nan)
    return Chosen(unknown, unknown, never, never, np.zeros(count, dtype=np.uint8))


def chosen(
    forecast: Forecast, rows: Rows, now: Doubles, soon: Doubles, lead_ms: Doubles, quantile: Doubles
) -> Chosen:
    """`rows` of the forecast, -1 for none; `now` are the measured values, `soon` [Q, row] what the nowcast says; `lead_ms` is
    how far ahead each looks."""
    known = rows >= 0
    capped = known & (quantile > _HIGHEST) & _doubtful(forecast, rows, lead_ms, quantile)
    quantile = np.where(capped, _HIGHEST, quantile)
    told = at_quantile(soon, quantile)
    values = between(forecast.values[MAX][:, :, rows].astype(float), now, told, lead_ms, quantile)
    uncalibrated = known & _doubtful(forecast, rows, lead_ms, quantile)
    alone = np.isfinite(told) & (lead_ms <= SOON_MS)  # then none of the engine's leads is in the number
    causes = np.where(known & ~alone, _causes(forecast, rows, lead_ms), 0).astype(np.uint8)
    return Chosen(np.where(known, values, np.nan), told, uncalibrated, capped, causes)


def _doubtful(forecast: Forecast, rows: Rows, lead_ms: Doubles, quantile: Doubles) -> Flags:
    """Whether any of the cells up to the lead lacks errors of its own at the quantile."""
    q, leads = np.searchsorted(QUANTILES, quantile - 1e-9), np.searchsorted(LEADS_MS, lead_ms)
    return np.asarray((forecast.uncalibrated[rows] & _CELLS[leads, q]) > 0)


def _causes(forecast: Forecast, rows: Rows, lead_ms: Doubles) -> NDArray[np.uint8]:
    """Of the leads that the number is made of: the given one, or the two around it."""
    largest = unpacked(forecast.distrust[rows], L * T)[MAX::T]
    first = np.searchsorted(LEADS_MS, lead_ms, side="right") - 1
    last = np.searchsorted(LEADS_MS, lead_ms)
    leads = np.arange(L)[:, None]
    used = (leads >= first) & (leads <= last)
    return np.asarray(np.bitwise_or.reduce(np.where(used, largest, 0), axis=0), dtype=np.uint8)
