"""A series as trend, day, week and rest.

MSTL (Bandara, Hyndman and Bergmeir 2021) strips the seasons off one after another with STL (Cleveland et al.
1990), the shortest first. The strength of a season is Hyndman's (Forecasting: Principles and Practice, 3rd ed., 4.3):
1 - Var(rest) / Var(season + rest), at least 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.errors import InvalidInput

Doubles = NDArray[np.float64]

DAY_HOURS, WEEK_HOURS = 24, 168
MIN_DAYS = 3
MIN_WEEKS = 2
MAX_GAP_SHARE = 0.5


@dataclass(frozen=True)
class Decomposition:
    """Hourly columns [hours] that sum up to the values; NaN where there was no value. A week of zeros means that
    the history is too short to tell one."""

    trend: Doubles
    day: Doubles
    week: Doubles
    rest: Doubles

    @property
    def strengths(self) -> dict[str, float]:
        """Of each season between 0 (none) and 1 (nothing else moves)."""
        dust = (
            1e-9 * float(np.nanmax(np.abs(self.trend), initial=0.0))
        ) ** 2  # what floats leave of a flat line
        return {"day": _strength(self.day, self.rest, dust), "week": _strength(self.week, self.rest, dust)}


def decompose(hours: Doubles) -> Decomposition:
    """Decompose hourly means [hours], NaN for gaps. Raises InvalidInput when there is too little to go by.

    The model needs a value for every hour: gaps are bridged for its fit, and stay gaps in what is returned.
    """
    from statsmodels.tsa.seasonal import MSTL

    known = np.isfinite(hours)
    if len(hours) < MIN_DAYS * DAY_HOURS or known.mean() < MAX_GAP_SHARE:
        raise InvalidInput(
            f"{int(known.sum())} of {len(hours)} hours have a value",
            "decompose",
            f"wait until {MIN_DAYS} days are there and at least half of the hours are known",
        )
    places = np.arange(len(hours))
    whole = np.interp(places, places[known], hours[known])
    periods = (DAY_HOURS, WEEK_HOURS) if len(hours) >= MIN_WEEKS * WEEK_HOURS else (DAY_HOURS,)
    fit = MSTL(whole, periods=periods).fit()
    seasons = np.asarray(fit.seasonal, dtype=float).reshape(len(hours), -1)
    week = seasons[:, 1] if len(periods) > 1 else np.zeros(len(hours))
    gap = np.where(known, 0.0, np.nan)
    trend, rest = np.asarray(fit.trend, dtype=float), np.asarray(fit.resid, dtype=float)
    return Decomposition(trend + gap, seasons[:, 0] + gap, week + gap, rest + gap)


def _strength(season: Doubles, rest: Doubles, dust: float) -> float:
    both = float(np.nanvar(season + rest))
    return max(0.0, 1 - float(np.nanvar(rest)) / both) if both > dust else 0.0
