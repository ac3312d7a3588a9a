"""What the same time of earlier days and weeks says about a moment: the seasonal statistics of a target."""

import numpy as np

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import Grid
from predictor.halves import DTYPE, Halves, pack, unpack
from predictor.history import DAYS, WEEKS, History, Rows
from predictor.ordering import median_of_seven

(
    DAY, WEEK, YESTERDAY, LAST_WEEK, EW_DAY, EW_WEEK, SLOW_DAY, SHARP_DAY, SHARP_WEEK, HIGHEST, PEAK, HIGHEST_PEAK, SPREAD,
) = range(13)  # fmt: skip
"""Smoothed over a quarter of an hour: median of seven days; mean of two weeks; the newest of either. Sharp:
exponentially weighted days with a half-life of 2 days; weighted weeks; days with one of 7; the newest day; the
newest week; the largest of seven days; median and largest of the days' peaks within a quarter of an hour; mean
distance of the days from their median."""
STATISTICS = 13

_OLDEST = 7 * WEEKS
_LAGS = np.array([[day % max(1, have) + 1 for day in range(DAYS)] for have in range(DAYS + 1)])
"""Days back, of a series that has so many behind it: one too young for all of them repeats those it has."""
_WEEK_AGO = [
    DAYS - 1,
    DAYS,
]  # where a week ago and two weeks ago are among the days and what `_with_second_week` adds


def _weights(count: int, half_life: float) -> Floats:
    weights = 0.5 ** (np.arange(count) / half_life)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


_FAST, _SLOW, _WEEKS = _weights(DAYS, 2), _weights(DAYS, 7), _weights(WEEKS, 2)


class Seasons:
    """Statistics of `at` for every moment up to the longest lead ahead, kept in a ring since each is final that
    long before; and of `max`, for the windows that begin at an origin."""

    def __init__(self, arrays: Arrays, grid: Grid, history: History) -> None:
        self._arrays, self._grid, self._history = arrays, grid, history
        self._length = grid.longest + 1
        smooth = 2 if grid.hour == 12 else 0  # beats on either side: the exact minute of a day is an accident
        self._around = np.arange(-smooth, smooth + 1)
        self._near = np.arange(-(grid.hour // 4), grid.hour // 4 + 1)
        *self._short, _ = grid.lead_beats  # up to an hour; the longest is six
        self._inside = np.arange(grid.hour, grid.longest, grid.hour)
        arrays.declare("seasons.at", (self._length, STATISTICS), -1, dtype=DTYPE)

    def learn(self, beat: int) -> None:
        """Compute `at` for the moment one longest lead ahead."""
        moment = beat + self._grid.longest
        have = self._have(self._grid.longest)
        smooth = unpack(self._past("mean", moment + self._around, have)).mean(axis=1)
        median = median_of_seven(smooth)
        second = unpack(self._two_weeks_ago("mean", np.array([moment]))[0])
        sharp = unpack(self._past("last", np.array([moment]), have)[:, 0])
        peaks = self._past("largest", moment + self._near, have).max(axis=1)
        smooth, sharp = (_with_second_week(days, second, have) for days in (smooth, sharp))
        found = _statistics(smooth, median, sharp, have)
        found[PEAK], found[HIGHEST_PEAK] = unpack(median_of_seven(peaks)), unpack(peaks.max(axis=0))
        self._arrays["seasons.at"][moment % self._length] = pack(found)

    def at(self, moments: Rows, level: Floats) -> Floats:
        """[moment, statistic, series]; `level` [series] where a series has no day behind it."""
        halves = self._arrays["seasons.at"][moments % self._length]
        return _known_or(unpack(halves), halves[:, DAY] < 0, level)

    def ahead(self, beat: int, level: Floats) -> Floats:
        """Of the largest value in the windows that begin after `beat`, but for the days' peaks: [lead, statistic, series]."""
        have = self._have(0)
        days = self._windows(beat, have)
        median = unpack(median_of_seven(days))
        largest = _with_second_week(unpack(days), unpack(self._old_windows(beat)), have)
        found = _statistics(largest, median, largest, have)
        return _known_or(found.swapaxes(0, 1), np.isnan(found[DAY]), level)

    def _windows(self, beat: int, have: Rows) -> Halves:
        """Window maxima one to seven days ago, [day, lead, series].

        A window of many hours is its first hour, the hours of the clock inside it, and its last hour.
        """
        grid = self._grid
        steps = np.arange(1, grid.hour + 1)
        first = self._past("largest", beat + steps, have)
        windows = [first[:, :beats].max(axis=1) for beats in self._short]
        last = self._past("largest", beat + grid.longest - grid.hour + steps, have)
        hours = self._past("hours", beat + self._inside, have)
        longest = np.concatenate([first, hours, last], axis=1).max(axis=1)
        return np.stack([*windows, longest], axis=1)

    def _old_windows(self, beat: int) -> Halves:
        """The same of two weeks ago, as well as quarters of an hour can tell: [lead, series]."""
        grid = self._grid
        quarter = grid.beats(15)
        middles = np.arange(-(-grid.hour // quarter)) * quarter + (quarter + 1) // 2
        first = self._two_weeks_ago("largest", beat + middles)
        windows = [first[: -(-beats // quarter)].max(axis=0) for beats in self._short]
        last = self._two_weeks_ago("largest", beat + grid.longest - grid.hour + middles)
        hours = self._history.ring("hours", (beat + self._inside - _OLDEST * grid.day) // grid.hour)
        return np.stack([*windows, np.concatenate([first, hours, last]).max(axis=0)])

    def _have(self, ahead: int) -> Rows:
        """Days behind each series as seen from a moment so many beats ahead, at most two weeks."""
        behind = self._history.age - 1 + ahead - self._grid.hour // 4
        return np.asarray(np.clip(behind // self._grid.day, 0, _OLDEST), dtype=np.intp)

    def _past(self, name: str, beats: Rows, have: Rows) -> Halves:
        """[day, beat, series]: the like of `beats` one to seven days ago."""
        unit = self._grid.hour if name == "hours" else 1
        have = np.minimum(have, DAYS)
        if have.size and (have == have[0]).all():
            lags = _LAGS[have[0]] * self._grid.day
            return self._history.ring(name, (beats - lags[:, None]) // unit)
        lags = _LAGS[have].T * self._grid.day
        return self._history.own(name, (beats[:, None] - lags[:, None]) // unit)

    def _two_weeks_ago(self, name: str, beats: Rows) -> Halves:
        """[beat, series]: of the quarters of an hour that `beats` lie in."""
        quarters = (beats - _OLDEST * self._grid.day) // self._grid.beats(15)
        return self._history.ring(f"old_{name}", quarters)


def _with_second_week(days: Floats, second: Floats, have: Rows) -> Floats:
    """[day and second week, ..., series]; a series with one week behind it repeats that."""
    return np.concatenate([days, np.where(have < _OLDEST, days[-1], second)[None]])


def _statistics(smooth: Floats, median: Floats, sharp: Floats, have: Rows) -> Floats:
    """[statistic, ..., series] of `smooth` and `sharp` [day and second week, ..., series] and the smooth days' `median`;
    without weeks the days', without days NaN. The days' peaks are left out."""
    days, weeks = sharp[:DAYS], sharp[_WEEK_AGO]
    found = np.empty((STATISTICS, *sharp.shape[1:]), dtype=np.float32)
    found[DAY] = median
    found[YESTERDAY], found[LAST_WEEK] = smooth[0], smooth[DAYS - 1]
    found[WEEK] = smooth[_WEEK_AGO].mean(axis=0)
    found[SHARP_DAY], found[SHARP_WEEK] = days[0], weeks[0]
    found[EW_DAY], found[SLOW_DAY] = np.tensordot(np.stack([_FAST, _SLOW]), days, 1)
    found[EW_WEEK] = np.tensordot(_WEEKS, weeks, 1)
    found[HIGHEST] = days.max(axis=0)
    found[SPREAD] = np.abs(days - median).mean(axis=0)
    _without_weeks(found, have < DAYS)
    found[..., have == 0] = np.nan
    return found


def _without_weeks(found: Floats, young: Known) -> None:
    if young.any():
        for of_week, of_day in (
            (WEEK, DAY),
            (LAST_WEEK, YESTERDAY),
            (SHARP_WEEK, SHARP_DAY),
            (EW_WEEK, EW_DAY),
        ):
            found[of_week] = np.where(young, found[of_day], found[of_week])


def _known_or(found: Floats, missing: Known, level: Floats) -> Floats:
    """Where a series has no day behind it, its level (and no spread)."""
    if not missing.any():
        return found
    found = np.where(missing[:, None], level, found)
    found[:, SPREAD] = np.where(missing, 0, found[:, SPREAD])
    return found
