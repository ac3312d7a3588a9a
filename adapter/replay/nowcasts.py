"""What the nowcast said at any moment of a past: the weights that it had, and what it saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adapter.replay.forecasts import Forecasts, Series
from adapter.replay.load import Doubles, Times
from cme.collector.rollup import CLOSE_AFTER_MS
from cme.core.durations import MINUTE_MS, SECOND_MS
from cme.core.policy import SOON_MS
from predictor.grid import Q
from predictor.nowcast.regression import EVERY_MS
from predictor.nowcast.sight import BACK_MS, WINDOWS, Seen, Sight, sight, together
from predictor.nowcast.teller import ROWS_A_STANDING, Standing, Teller

TICK_MS = 15 * SECOND_MS
"""Of the past: as often as an HPA looks."""
_STRIDE_MS = -(-EVERY_MS // TICK_MS) * TICK_MS
_STANDING_MS = ROWS_A_STANDING * _STRIDE_MS
_AT_ONCE = 20  # standings whose rows are made together


@dataclass(frozen=True)
class Looking:
    """A series with what the engine said of it."""

    series: Series
    forecasts: Forecasts
    window_ms: int

    def sight(self, times_ms: Times) -> Sight:
        """Of all times."""
        load, closed = self.series.load, (times_ms - CLOSE_AFTER_MS) // MINUTE_MS * MINUTE_MS
        rows, row = self.forecasts.newest(times_ms), self.series.row
        return sight(
            Seen(
                self._measured(times_ms),
                np.stack([self._measured(times_ms - back) for back in BACK_MS]),
                np.stack([load.mean(closed, minutes * MINUTE_MS)[row] for minutes in WINDOWS]),
                np.stack([load.largest(closed, minutes * MINUTE_MS)[row] for minutes in WINDOWS]),
                np.where(rows >= 0, self.forecasts.largest[:, :, rows], np.nan).astype(float),
            )
        )

    def truth(self, times_ms: Times) -> Doubles:
        """The largest sample of the lead time; NaN where one is unknown."""
        samples = [self._measured(times_ms + ahead) for ahead in range(TICK_MS, SOON_MS + 1, TICK_MS)]
        return np.asarray(np.max(samples, axis=0))

    def _measured(self, times_ms: Times) -> Doubles:
        return np.asarray(self.series.load.mean(times_ms, self.window_ms)[self.series.row])


@dataclass(frozen=True)
class Nowcasts:
    """Of one series."""

    looking: Looking
    since_ms: int
    standings: Sequence[Standing]
    """From `since_ms` on, each for as long as it takes to the next."""

    def at(self, times_ms: Times) -> Doubles:
        """[Q, time], loads; NaN where nothing was told."""
        seen = self.looking.sight(times_ms)
        told = np.full((Q, len(times_ms)), np.nan)
        which = np.minimum((times_ms - self.since_ms) // _STANDING_MS, len(self.standings) - 1)
        for number in np.unique(which[which >= 0]).tolist():
            then = which == number
            told[:, then] = self.standings[number].tell(seen.some(then))
        return told


def nowcasts_of(
    series: Sequence[Series], forecasts: Mapping[int, Forecasts], window_ms: int
) -> dict[int, Nowcasts]:
    """By id; all series learn together, as they would. `window_ms`: over which a source's rates are means."""
    looking = [Looking(one, forecasts[one.id], window_ms) for one in series]
    start = min(int(forecasts[one.id].ends_ms[0]) for one in series) + TICK_MS  # when it is known
    end = max(one.load.end_ms for one in series)
    teller = Teller()
    teller.grow(len(series))
    standings: list[Standing] = []
    for since in range(start, end, _AT_ONCE * _STANDING_MS):
        origins = np.arange(since, min(end, since + _AT_ONCE * _STANDING_MS), _STRIDE_MS)
        seen = together([one.sight(origins) for one in looking])
        truths = np.stack([one.truth(origins) for one in looking])
        for number in range(len(origins)):
            if teller.learn(teller.origin(seen.some(number)), truths[:, number]):
                standings.append(teller.standing)
    known = start + _STANDING_MS - _STRIDE_MS + SOON_MS  # when the first one has all of its truths
    return {
        one.series.id: Nowcasts(one, known, [each.of(row) for each in standings])
        for row, one in enumerate(looking)
    }
