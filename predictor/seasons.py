"""What the same time of earlier days and weeks says about a moment: the seasonal statistics of a target."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.calendar import Calendars
from predictor.grid import Grid
from predictor.history import DAYS, WEEKS, History, Rows

(
    DAY, WEEK, YESTERDAY, LAST_WEEK, EW_DAY, EW_WEEK, SLOW_DAY, SHARP_DAY, SHARP_WEEK, HIGHEST, PEAK, HIGHEST_PEAK, SPREAD,
) = range(13)  # fmt: skip
"""Smoothed over a quarter of an hour: median of seven days; mean of two weeks; the newest of either. Sharp:
exponentially weighted days with a half-life of 2 days; weighted weeks; days with one of 7; the newest day; the
newest week; the largest of seven days; median and largest of the days' peaks within a quarter of an hour; mean
distance of the days from their median."""
STATISTICS = 13

# Devillard, "Fast median search" (1998): the least number of exchanges that brings the median of seven to place 3.
_EXCHANGES = (
    (0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6), (2, 3), (3, 6), (4, 5), (1, 4), (1, 3), (3, 4),
)  # fmt: skip


def _weights(count: int, half_life: float) -> Floats:
    weights = 0.5 ** (np.arange(count) / half_life)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


_NO_STEPS = np.zeros(1, dtype=np.intp)
_FAST, _SLOW, _WEEKS = _weights(DAYS, 2), _weights(DAYS, 7), _weights(WEEKS, 2)


class Seasons:
    """Statistics of `at` for every moment up to the longest lead ahead, kept in a ring since each is final that
    long before; and of `max`, for the windows that begin at an origin."""

    def __init__(self, arrays: Arrays, grid: Grid, history: History, calendars: Calendars) -> None:
        self._arrays, self._grid, self._history, self._calendars = arrays, grid, history, calendars
        self._length = grid.longest + 1
        smooth = 2 if grid.hour == 12 else 0  # beats on either side: the exact minute of a day is an accident
        self._around = np.arange(-smooth, smooth + 1)
        self._near = np.arange(-(grid.hour // 4), grid.hour // 4 + 1)
        arrays.declare("seasons.at", (self._length, STATISTICS), np.nan)

    def learn(self, beat: int) -> None:
        """Compute `at` for the moment one longest lead ahead."""
        moment = beat + self._grid.longest
        days = self._past("mean", beat, moment, False, self._around)
        weeks = self._past("mean", beat, moment, True, self._around)
        sharp_days = self._past("last", beat, moment, False, _NO_STEPS)[:, 0]
        sharp_weeks = self._past("last", beat, moment, True, _NO_STEPS)[:, 0]
        peaks = self._past("largest", beat, moment, False, self._near).max(axis=1)
        found = _statistics(days.mean(axis=1), weeks.mean(axis=1), sharp_days, sharp_weeks)
        found[PEAK], found[HIGHEST_PEAK] = median_of_seven(peaks), peaks.max(axis=0)
        self._arrays["seasons.at"][moment % self._length] = found

    def at(self, moments: Rows, level: Floats) -> Floats:
        """[moment, statistic, series]; `level` [series] where a series has no day behind it."""
        found: Floats = self._arrays["seasons.at"][moments % self._length]
        return _known_or(found, level)

    def ahead(self, beat: int, level: Floats) -> Floats:
        """Of the largest value in the windows that begin after `beat`: [lead, statistic, series]."""
        days, weeks = self._windows(beat, False), self._windows(beat, True)
        return _known_or(_statistics(days, weeks, days, weeks).swapaxes(0, 1), level)

    def _windows(self, beat: int, weekly: bool) -> Floats:
        """Window maxima 1..7 days or 1..2 weeks ago, [season, lead, series]."""
        grid = self._grid
        steps = np.arange(1, grid.hour + 1)
        short = [beats - 1 for beats in grid.lead_beats if beats <= grid.hour]
        past = self._past("largest", beat, beat, weekly, steps)
        windows = np.maximum.accumulate(past, axis=1)[:, short]
        if len(short) == len(grid.lead_beats):
            return windows
        hours = np.arange(grid.hour, grid.longest + 1, grid.hour)
        longest = self._past("hour", beat, beat, weekly, hours).max(axis=1, keepdims=True)
        return np.concatenate([windows, longest], axis=1)

    def _past(self, name: str, beat: int, moment: int, weekly: bool, around: Rows) -> Floats:
        """[season, around, series]: the likes of a moment 1..7 days or 1..2 weeks ago.

        A series too young for all of them repeats those it has; NaN if it has none.
        """
        behind = self._history.age - 1 + moment - beat - self._grid.hour // 4
        lags = self._calendars.lags(moment, weekly, behind)
        have = lags <= behind
        if lags.shape[1] == 1 and have.all():
            return self._history.ring(name, moment - lags + around)
        own = _repeated(lags, have)
        past = self._history.own(name, moment - own[:, None] + around[:, None])
        return np.where(have.any(axis=0), past, np.float32(np.nan))


def _repeated(lags: Rows, have: Known) -> Rows:
    """Those of the lags that a series has, in turn: [season, series]."""
    order = np.argsort(~have, axis=0, kind="stable")
    turns = np.arange(len(have))[:, None] % np.maximum(have.sum(axis=0), 1)
    which = np.take_along_axis(order, turns, axis=0)
    return np.take_along_axis(np.broadcast_to(lags, have.shape), which, axis=0)


def _statistics(days: Floats, weeks: Floats, sharp_days: Floats, sharp_weeks: Floats) -> Floats:
    """[statistic, ..., series] of days and weeks [season, ..., series], newest first; without weeks the days'."""
    found = np.empty((STATISTICS, *days.shape[1:]), dtype=np.float32)
    found[DAY] = median_of_seven(days)
    found[YESTERDAY] = days[0]
    found[SHARP_DAY] = sharp_days[0]
    found[EW_DAY] = np.tensordot(_FAST, sharp_days, 1)
    found[SLOW_DAY] = np.tensordot(_SLOW, sharp_days, 1)
    found[HIGHEST] = sharp_days.max(axis=0)
    found[SPREAD] = np.abs(sharp_days - found[DAY]).mean(axis=0)
    young = np.isnan(weeks[0])
    found[WEEK] = np.where(young, found[DAY], weeks.mean(axis=0))
    found[LAST_WEEK] = np.where(young, found[YESTERDAY], weeks[0])
    found[SHARP_WEEK] = np.where(young, found[SHARP_DAY], sharp_weeks[0])
    found[EW_WEEK] = np.where(young, found[EW_DAY], np.tensordot(_WEEKS, sharp_weeks, 1))
    return found


def median_of_seven(values: Floats) -> Floats:
    """Along the first axis."""
    v = list(values)
    for i, j in _EXCHANGES:
        v[i], v[j] = np.minimum(v[i], v[j]), np.maximum(v[i], v[j])
    return np.asarray(v[3])


def _known_or(found: Floats, level: Floats) -> Floats:
    """Where a series has no day behind it, its level (and no spread)."""
    missing = np.isnan(found[:, DAY])
    if not missing.any():
        return found
    found = np.where(missing[:, None], level, found)
    found[:, SPREAD] = np.where(missing, 0, found[:, SPREAD])
    return found
