"""The minutes of a series' last six hours: what its origins' truths are made of."""

import numpy as np

from cme.core.durations import MINUTE_MS
from predictor.grid import AT, LEADS_MS, MAX, T
from predictor.opinions.outlook import Doubles

MINUTES = LEADS_MS[-1] // MINUTE_MS + 60
"""An hour more than the longest lead: a truth may be asked for late."""
_SEEN_ENOUGH = 0.8


class Recent:
    """Mean and largest of each minute, by the minute's end."""

    def __init__(self) -> None:
        self._values = np.full((T, MINUTES), np.nan)
        self.newest_ms = 0

    def take(self, end_ms: int, mean: float, largest: float) -> None:
        """A minute; the same again corrects it, one of long ago changes nothing."""
        minute = end_ms // MINUTE_MS
        ahead = minute - self.newest_ms // MINUTE_MS
        if ahead <= -MINUTES:
            return
        if ahead > 0:
            self._values[:, (minute - np.arange(min(ahead, MINUTES))) % MINUTES] = np.nan
            self.newest_ms = end_ms
        self._values[:, minute % MINUTES] = mean, largest

    def truth(self, origin_ms: int, lead_ms: int) -> Doubles:
        """[target] of an origin; NaN where too little was seen, or it is too long ago."""
        end, minutes = (origin_ms + lead_ms) // MINUTE_MS, lead_ms // MINUTE_MS
        window = self._values[MAX, (end - np.arange(minutes)) % MINUTES]
        seen = window[np.isfinite(window)]
        truth = np.full(T, np.nan)
        if end - minutes < self.newest_ms // MINUTE_MS - MINUTES:
            return truth
        truth[AT] = self._values[AT, end % MINUTES]
        if len(seen) >= _SEEN_ENOUGH * minutes:
            truth[MAX] = seen.max()
        return truth
