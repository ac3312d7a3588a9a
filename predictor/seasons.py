"""What the same time of earlier days and weeks says about a moment: the seasonal statistics of a target."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known
from predictor.calendar import Calendars
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
_OLD = {"last": "old_mean", "mean": "old_mean", "largest": "old_largest"}  # rings of quarters of an hour


def _weights(count: int, half_life: float) -> Floats:
    weights = 0.5 ** (np.arange(count) / half_life)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


_FAST, _SLOW, _WEEKS = _weights(DAYS, 2), _weights(DAYS, 7), _weights(WEEKS, 2)


@dataclass(frozen=True)
class _Likes:
    """How many beats ago the likes of a moment were, newest first: [season, series], [season, 1] if all look alike."""

    days: Rows
    weeks: Rows
    behind: NDArray[np.int32]  # [series] how far back each series can look

    @cached_property
    def days_ago(self) -> Rows:
        return _repeated(self.days, self.behind)

    @cached_property
    def weeks_ago(self) -> Rows:
        return _repeated(self.weeks, self.behind)

    @property
    def without_days(self) -> Known:
        return np.asarray((self.days > self.behind).all(axis=0))

    @property
    def without_weeks(self) -> Known:
        return np.asarray((self.weeks > self.behind).all(axis=0))

    @property
    def without_second_week(self) -> Known:
        return np.asarray(self.weeks[1] > self.behind)


class Seasons:
    """Statistics of `at` for every moment up to the longest lead ahead, kept in a ring since each is final that
    long before; and of `max`, for the windows that begin at an origin."""

    def __init__(self, arrays: Arrays, grid: Grid, history: History, calendars: Calendars) -> None:
        self._arrays, self._grid, self._history, self._calendars = arrays, grid, history, calendars
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
        likes = self._likes(moment, self._grid.longest)
        days = unpack(self._past("mean", moment + self._around, likes.days_ago)).mean(axis=1)
        sharp = unpack(self._past("last", np.array([moment]), likes.days_ago)[:, 0])
        weeks, sharp_weeks = self._weeks(moment, likes, days, sharp)
        peaks = self._past("largest", moment + self._near, likes.days_ago).max(axis=1)
        found = _statistics(days, weeks, median_of_seven(days), sharp, sharp_weeks, likes)
        found[PEAK], found[HIGHEST_PEAK] = unpack(median_of_seven(peaks)), unpack(peaks.max(axis=0))
        self._arrays["seasons.at"][moment % self._length] = pack(found)

    def at(self, moments: Rows, level: Floats) -> Floats:
        """[moment, statistic, series]; `level` [series] where a series has no day behind it."""
        halves = self._arrays["seasons.at"][moments % self._length]
        return _known_or(unpack(halves), halves[:, DAY] < 0, level)

    def ahead(self, beat: int, level: Floats) -> Floats:
        """Of the largest value in the windows that begin after `beat`, but for the days' peaks: [lead, statistic, series]."""
        likes = self._likes(beat, 0)
        halves = self._windows(beat, likes.days_ago)
        days, median = unpack(halves), unpack(median_of_seven(halves))
        if self._is_plain(likes):
            weeks = _two(days[-1], unpack(self._old_windows(beat)), likes)
        else:
            weeks = unpack(self._windows(beat, likes.weeks_ago))
        found = _statistics(days, weeks, median, days, weeks, likes)
        return _known_or(found.swapaxes(0, 1), np.isnan(found[DAY]), level)

    def _likes(self, moment: int, ahead: int) -> _Likes:
        """Of a moment, as seen from so many beats before it."""
        behind = self._history.age - 1 + ahead - self._grid.hour // 4
        days, weeks = (self._calendars.lags(moment, weekly, behind) for weekly in (False, True))
        return _Likes(days, weeks, behind)

    def _is_plain(self, likes: _Likes) -> bool:
        """Whether all series' days are days of UTC: the last of the seven is then a week ago."""
        return bool(likes.days.shape[1] == 1 and likes.weeks.shape[1] == 1)

    def _weeks(self, moment: int, likes: _Likes, days: Floats, sharp: Floats) -> tuple[Floats, Floats]:
        """`at` one and two weeks ago, smooth and sharp: [week, series]."""
        if self._is_plain(likes):
            second = unpack(self._two_weeks_ago("mean", np.array([moment]))[0])
            return _two(days[-1], second, likes), _two(sharp[-1], second, likes)
        smooth = unpack(self._past("mean", moment + self._around, likes.weeks_ago)).mean(axis=1)
        return smooth, unpack(self._past("last", np.array([moment]), likes.weeks_ago)[:, 0])

    def _windows(self, beat: int, lags: Rows) -> Halves:
        """Window maxima so many beats ago, [season, lead, series].

        A window of many hours is its first hour, the hours of the clock inside it, and its last hour.
        """
        grid = self._grid
        steps = np.arange(1, grid.hour + 1)
        first = self._past("largest", beat + steps, lags)
        windows = [first[:, :beats].max(axis=1) for beats in self._short]
        last = self._past("largest", beat + grid.longest - grid.hour + steps, lags)
        hours = self._past("hours", beat + self._inside, lags)
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

    def _past(self, name: str, beats: Rows, lags: Rows) -> Halves:
        """[season, beat, series]: the like of `beats` so many beats ago. Of more than a week ago quarters of an hour
        tell, and hours in any case."""
        week, quarter = 7 * self._grid.day, self._grid.beats(15)
        unit = self._grid.hour if name == "hours" else 1
        if lags.shape[1] == 1 and lags.max() <= week:
            return self._history.ring(name, (beats - lags) // unit)
        places = beats[:, None] - np.broadcast_to(lags, (len(lags), len(self._history.age)))[:, None]
        near = self._history.own(name, places // unit)
        if name == "hours":
            return near
        return np.where(lags[:, None] <= week, near, self._history.own(_OLD[name], places // quarter))

    def _two_weeks_ago(self, name: str, beats: Rows) -> Halves:
        """[beat, series]: of the quarters of an hour that `beats` lie in."""
        quarters = (beats - _OLDEST * self._grid.day) // self._grid.beats(15)
        return self._history.ring(f"old_{name}", quarters)


def _repeated(lags: Rows, behind: NDArray[np.int32]) -> Rows:
    """A series too young for all of them repeats those it has, in turn: [season, series], [season, 1] if all do alike."""
    have = lags <= behind
    if have.all() or (not have.any() and lags.shape[1] == 1):
        return lags
    if lags.shape[1] == 1 and (have == have[:, :1]).all():
        have = have[:, :1]
    order = np.argsort(~have, axis=0, kind="stable")
    turns = np.arange(len(have))[:, None] % np.maximum(have.sum(axis=0), 1)
    which = np.take_along_axis(order, turns, axis=0)
    return np.take_along_axis(np.broadcast_to(lags, have.shape), which, axis=0)


def _two(first: Floats, second: Floats, likes: _Likes) -> Floats:
    """[week, ..., series]; a series with one week behind it repeats that."""
    return np.stack([first, np.where(likes.without_second_week, first, second)])


def _statistics(
    days: Floats, weeks: Floats, median: Floats, sharp: Floats, sharp_weeks: Floats, likes: _Likes
) -> Floats:
    """[statistic, ..., series] of days and weeks [season, ..., series], smooth and sharp, and the smooth days' `median`;
    without weeks the days', without days NaN. The days' peaks are left out."""
    found = np.empty((STATISTICS, *sharp.shape[1:]), dtype=np.float32)
    found[DAY] = median
    found[YESTERDAY], found[LAST_WEEK] = days[0], weeks[0]
    found[WEEK] = weeks.mean(axis=0)
    found[SHARP_DAY], found[SHARP_WEEK] = sharp[0], sharp_weeks[0]
    found[EW_DAY], found[SLOW_DAY] = np.tensordot(np.stack([_FAST, _SLOW]), sharp, 1)
    found[EW_WEEK] = np.tensordot(_WEEKS, sharp_weeks, 1)
    found[HIGHEST] = sharp.max(axis=0)
    found[SPREAD] = np.abs(sharp - median).mean(axis=0)
    _without_weeks(found, likes.without_weeks)
    found[..., likes.without_days] = np.nan
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
