"""What the regressions look at: levels, seasons and scales of a series, in units in which all series look alike."""

from dataclasses import dataclass

import numpy as np

from predictor import seasons as season
from predictor.arrays import Arrays, Floats, Known
from predictor.calendar import Calendars
from predictor.grid import Grid, Q
from predictor.history import History
from predictor.rhythm import Rhythm
from predictor.seasons import Seasons

LEVELS = (
    "last", "mean15", "mean60", "mean360", "lag5", "lag30", "max15", "max60", "max360", "max_day", "min60", "day_now",
    "week_now", "yesterday_now",
)  # fmt: skip
USUAL = ("day", "week", "yesterday", "last_week", "ew_day", "ew_week")
RATIOS = ("ratio_day", "ratio_ew", "ratio_yesterday")
RHYTHMS = ("rhythm_fast", "rhythm_slow")
BIASES = ("bias_hour", "bias_day")
MORE_LEVELS = ("lag10", "lag20", "lag60", "last_week_now")
PEAKS = ("slow_day", "sharp_day", "sharp_week", "highest", "peak", "highest_peak")
SHARED_SCALES = ("volatility", "above_hour", "above_day", "day_to_week")
ERRORS = ("error_hour", "error_days", "error_week", "error_slot")
NAMES = (
    "one", *LEVELS, *USUAL, *RATIOS, "profile", *RHYTHMS, *BIASES, "ridge", *MORE_LEVELS, "ratio_week", *PEAKS,
    *SHARED_SCALES, "spread", *ERRORS,
)  # fmt: skip
K = len(NAMES)
RIDGE = NAMES.index("ridge")  # a row of its own, and the number of rows that the ridge looks at
PROFILE = NAMES.index("profile")
_SHARED = ("one", *LEVELS, *MORE_LEVELS, *SHARED_SCALES)
SHARED = np.array([i for i, name in enumerate(NAMES) if name in _SHARED])
"""Features that are the same for all cells."""
OWN = np.array([i for i, name in enumerate(NAMES) if name not in _SHARED])


def rows_of(group: tuple[str, ...]) -> slice:
    """Where a group of features is among the K."""
    first = NAMES.index(group[0])
    return slice(first, first + len(group))


LIMIT = 20.0  # no feature is further from the base than this many scales


@dataclass(frozen=True, slots=True)
class Moment:
    """All that is known of an origin, roots of loads; C cells."""

    beat: int
    last: Floats  # [series] newest minute mean
    base: Floats  # [series] mean of the last day
    scale: Floats  # [series] mean distance from it
    season: Floats  # [C, statistic, series] of the target
    above: Floats  # [series] how far the last 15 minutes lie above the day as it usually goes
    features: Floats  # [C, K, series]; the rows that experts compute are filled in by them
    pooled: Floats  # [C, Q, series] the pooled quantiles in the features' units, filled in by their expert
    week_max: Floats  # [series]

    def normal(self, roots: Floats) -> Floats:
        """Roots [..., series] in the features' units."""
        return np.asarray(np.clip((roots - self.base) / self.scale, -LIMIT, LIMIT))

    def scaled(self, sizes: Floats) -> Floats:
        """Differences of roots [..., series] in the features' units."""
        return np.asarray(np.clip(sizes / self.scale, -LIMIT, LIMIT))

    def root(self, normal: Floats) -> Floats:
        return normal * self.scale + self.base


@dataclass(frozen=True, slots=True)
class _Recent:
    """The last hours, roots of loads."""

    means: Floats  # [beat, series] of an hour and one beat, newest first
    mean15: Floats  # [series]
    mean60: Floats
    max60: Floats
    highest: Floats  # [4, series] of 15 and 60 minutes, 6 hours and a day, and of what was seen since


class Features:
    """Levels as (v - base) / scale, scales as v / scale: base the day's mean, scale the distance from it."""

    def __init__(self, arrays: Arrays, grid: Grid, history: History, calendars: Calendars) -> None:
        self._arrays, self._grid, self._history = arrays, grid, history
        self._seasons = Seasons(arrays, grid, history, calendars)
        self._rhythm = Rhythm(arrays, grid)
        arrays.declare("features.scale", ())
        self._decay = np.float32(1 / (7 * grid.day))

    def learn(self, beat: int, truth: Floats, known: Known) -> None:
        """Take in a beat that the history holds, and the truths that came due with it."""
        self._seasons.learn(beat)
        self._rhythm.learn(beat, truth, known)
        self._learn_scale(beat)

    def prime(self, beat: int, *, seasons: bool) -> None:
        """Take in a beat of which no truth is held against a forecast."""
        if seasons:
            self._seasons.learn(beat)
        self._learn_scale(beat)

    def _learn_scale(self, beat: int) -> None:
        """Mean distance from the base over about a week."""
        history, scale = self._history, self._arrays["features.scale"]
        distance = np.abs(history.recent("mean", beat, 1)[0] - history.mean(1))
        rate = np.maximum(self._decay, 1 / np.maximum(history.age, 1)).astype(np.float32)
        scale += rate * (distance - scale)

    def usual(self, beat: int) -> tuple[Floats, Floats, Floats]:
        """The level of the last quarter of an hour, what it usually is at this time, and what of all that yesterday,
        last week and the usual day and week make likely is nearest to it, [series]."""
        level = self._history.recent("mean", beat, self._grid.beats(15)).mean(axis=0)
        now = self._seasons.at(np.array([beat]), level)[0]
        likely = now[[season.DAY, season.WEEK, season.YESTERDAY, season.LAST_WEEK]]
        nearest = np.clip(level, likely.min(axis=0), likely.max(axis=0))
        return level, (likely[0] + likely[1]) / 2, nearest

    def moment(self, beat: int, last: Floats, largest: Floats) -> Moment:
        """The origin `beat`, or a moment soon after it at which `last` was seen and `largest` at most since."""
        history, grid = self._history, self._grid
        base = history.mean(1)
        scale = np.maximum(self._arrays["features.scale"], np.float32(1e-6) * base + np.float32(1e-9))
        recent = self._recent(beat, largest)
        now = self._seasons.at(np.array([beat]), recent.mean60)[0]
        above = recent.mean15 - (now[season.DAY] + now[season.WEEK]) / 2
        of_target = self._of_target(beat, recent)
        features = np.empty((grid.cells, K, len(base)), dtype=np.float32)
        pooled = np.empty((grid.cells, Q, len(base)), dtype=np.float32)
        moment = Moment(beat, last, base, scale, of_target, above, features, pooled, history.week_max())
        self._fill_levels(moment, now, recent)
        self._fill_scales(moment, now, recent)
        return moment

    def _recent(self, beat: int, largest: Floats) -> _Recent:
        grid, history = self._grid, self._history
        means = history.recent("mean", beat, grid.hour + 1)
        maxima = history.recent("largest", beat, grid.hour)
        quarter, hour = grid.beats(15), grid.hour
        max60 = maxima.max(axis=0)
        highest = [maxima[:quarter].max(axis=0), max60, history.six_hours_max(beat), history.day_max(beat)]
        return _Recent(
            means,
            means[:quarter].mean(axis=0),
            means[:hour].mean(axis=0),
            max60,
            np.maximum(np.stack(highest), largest),
        )

    def _of_target(self, beat: int, recent: _Recent) -> Floats:
        """[C, statistic, series]"""
        grid = self._grid
        found = np.empty(
            (len(grid.leads), 2, season.STATISTICS, len(recent.mean60)),
            dtype=np.float32,
        )
        found[:, 0] = self._seasons.at(beat + np.array(grid.lead_beats), recent.mean60)
        found[:, 1] = self._seasons.ahead(beat, recent.max60)
        found[:, 1, season.PEAK : season.SPREAD] = found[:, 0, season.PEAK : season.SPREAD]
        return found.reshape(grid.cells, season.STATISTICS, -1)

    def _fill_levels(self, moment: Moment, now: Floats, recent: _Recent) -> None:
        rows, normal = moment.features, moment.normal
        rows[:, 0] = 1
        rows[:, rows_of(LEVELS)] = normal(self._levels(moment, now, recent))
        rows[:, rows_of(MORE_LEVELS)] = normal(self._more_levels(now, recent))
        of_target = normal(moment.season[:, : season.SPREAD])
        rows[:, rows_of(USUAL)] = of_target[:, : season.SLOW_DAY]
        rows[:, rows_of(PEAKS)] = of_target[:, season.SLOW_DAY :]
        ratios = normal(self._ratios(moment, now, recent))
        rows[:, rows_of(RATIOS)], rows[:, NAMES.index("ratio_week")] = ratios[:, :3], ratios[:, 3]

    def _more_levels(self, now: Floats, recent: _Recent) -> Floats:
        lags = [recent.means[self._grid.beats(minutes)] for minutes in (10, 20, 60)]
        return np.stack([*lags, now[season.LAST_WEEK]])

    def _levels(self, moment: Moment, now: Floats, recent: _Recent) -> Floats:
        return np.stack(
            [
                moment.last,
                recent.mean15,
                recent.mean60,
                self._history.mean(0),
                *(recent.means[self._grid.beats(minutes)] for minutes in (5, 30)),
                *recent.highest,
                recent.means[: self._grid.hour].min(axis=0),
                *now[: season.LAST_WEEK],
            ]
        )

    def _ratios(self, moment: Moment, now: Floats, recent: _Recent) -> Floats:
        """The season scaled by how the last hours relate to theirs: [C, 4, series]."""
        floor = np.float32(1e-6) * moment.base + np.float32(1e-9)
        level = np.stack([recent.mean15, recent.mean15, recent.mean60, recent.mean60])
        usual = now[[season.DAY, season.DAY, season.YESTERDAY, season.LAST_WEEK]]
        ratio = np.clip(np.maximum(level, floor) / np.maximum(usual, floor), 0.5, 2)
        of = moment.season[:, [season.DAY, season.EW_DAY, season.YESTERDAY, season.LAST_WEEK]]
        return np.asarray(of * ratio)

    def _fill_scales(self, moment: Moment, now: Floats, recent: _Recent) -> None:
        shared = np.stack(
            [
                np.abs(np.diff(recent.means, axis=0)).mean(axis=0),
                np.maximum(moment.last - recent.mean60, 0),
                np.maximum(recent.mean15 - now[season.DAY], 0),
                moment.base - self._history.mean(2),
            ]
        )
        rows, scaled = moment.features, moment.scaled
        rows[:, rows_of(SHARED_SCALES)] = scaled(shared)
        rows[:, NAMES.index("spread")] = scaled(moment.season[:, season.SPREAD])
        rows[:, rows_of(RHYTHMS)] = scaled(self._rhythm.ahead(moment.beat))
