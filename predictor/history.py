"""What a series looked like: rings of its beats over two weeks, exact values of the last six hours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats
from predictor.grid import MAX, Grid

DAYS, WEEKS = 7, 2
Rows = NDArray[np.intp]
_FLOAT16_MAX = 6e4
_SEEN_ENOUGH = np.float32(0.8)


@dataclass(frozen=True, slots=True)
class Bin:
    """What a beat saw, [series]: its last minute's mean, its mean, its largest minute maximum; NaN for a gap."""

    last: Floats
    mean: Floats
    largest: Floats


class History:
    """Time-major rings of roots of loads, one row a beat. The caller fills gaps, so nothing in here is NaN.

    `last`, `mean`, `largest` and `hour` (the largest of the hour up to then) reach back two weeks and serve the seasons,
    as float16: its .05 % are far below a day's difference from the day before; of a gap they hold what was there a
    season before. The `recent` rings are exact.
    """

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        self._length = WEEKS * 7 * grid.day + grid.beats(10) + 1
        self._recent = grid.longest + 1
        for name in ("last", "mean", "largest", "hour"):
            arrays.declare(f"history.{name}", (self._length,), dtype="float16")
        for name in ("mean", "largest", "hour"):
            arrays.declare(f"history.recent_{name}", (self._recent,))
        arrays.declare("history.recent_seen", (self._recent,), dtype="int32")  # running counts
        arrays.declare("history.newest", ())
        arrays.declare("history.age", (), dtype="int32")
        arrays.declare("history.sums", (3,), dtype="float64")
        arrays.declare("history.day_maxima", (DAYS + 1,))
        arrays.declare("history.ever", ())
        self._windows = (6 * grid.hour, grid.day, 7 * grid.day)

    @property
    def age(self) -> NDArray[np.int32]:
        """Beats since the series was first seen, that beat included; 0 for never. [series]"""
        age: NDArray[np.int32] = self._arrays["history.age"]
        return age

    @property
    def newest(self) -> Floats:
        """The last minute of the newest beat, [series]."""
        newest: Floats = self._arrays["history.newest"]
        return newest

    def push(self, beat: int, bin_: Bin, seen: NDArray[np.bool_]) -> None:
        """Append a beat; `seen` says which series were really seen."""
        np.add(self.age, (self.age > 0) | seen, out=self.age)
        self._found(bin_, self.age == 1)
        self._arrays["history.newest"][:] = bin_.last
        counts = self._arrays["history.recent_seen"]
        counts[beat % self._recent] = counts[(beat - 1) % self._recent] + seen
        self._arrays["history.recent_mean"][beat % self._recent] = bin_.mean
        self._arrays["history.recent_largest"][beat % self._recent] = bin_.largest
        hour = self.recent("largest", beat, self._grid.hour).max(axis=0)
        self._arrays["history.recent_hour"][beat % self._recent] = hour
        rows = {"last": bin_.last, "mean": bin_.mean, "largest": bin_.largest, "hour": hour}
        if not seen.all():
            rows = {
                name: np.where(seen, values, self._a_season_ago(name, beat)) for name, values in rows.items()
            }
        self._add_to_sums(beat, rows["mean"])
        for name, values in rows.items():
            self._arrays[f"history.{name}"][beat % self._length] = np.minimum(values, _FLOAT16_MAX)
        self._add_to_maxima(beat, bin_.largest)

    def recent(self, name: str, beat: int, beats: int) -> Floats:
        """The newest `beats` rows of a recent ring, [beats, series], newest first."""
        rows: Floats = self._arrays[f"history.recent_{name}"][(beat - np.arange(beats)) % self._recent]
        return rows

    def ring(self, name: str, beats: Rows) -> Floats:
        """Rows of a long ring, [..., series]."""
        return np.asarray(self._arrays[f"history.{name}"][beats % self._length], dtype=np.float32)

    def own(self, name: str, beats: Rows) -> Floats:
        """The same of `beats` [..., series], for each series its own."""
        ring = self._arrays[f"history.{name}"]
        rows = (beats % self._length).reshape(-1, ring.shape[-1])
        return np.take_along_axis(ring, rows, axis=0).reshape(beats.shape).astype(np.float32)

    def mean(self, window: int) -> Floats:
        """Mean over the last 6 h (0), day (1), week (2), or over what there is of it."""
        known = np.clip(self.age, 1, self._windows[window])
        return np.asarray(self._arrays["history.sums"][window] / known, dtype=np.float32)

    def week_max(self) -> Floats:
        """Largest of the last seven to eight days."""
        largest: Floats = self._arrays["history.day_maxima"].max(axis=0)
        return largest

    def truths(self, beat: int) -> tuple[Floats, NDArray[np.bool_]]:
        """What the origins one lead ago were asked for, [C, series], and whether enough of it was seen."""
        grid = self._grid
        truth = np.empty((grid.cells, len(self.age)), dtype=np.float32)
        known = np.empty(truth.shape, dtype=bool)
        for i, beats in enumerate(grid.lead_beats):
            truth[2 * i] = self.newest
            truth[2 * i + MAX] = self._trailing_max(beat, beats)
            known[2 * i] = self._seen(beat, 1) > 0
            known[2 * i + MAX] = self._seen(beat, beats) >= _SEEN_ENOUGH * beats
        known &= self.age > grid.cell_beats[:, None]
        return truth, known

    def _seen(self, beat: int, beats: int) -> NDArray[np.int32]:
        """How many of the last beats were really seen."""
        counts = self._arrays["history.recent_seen"]
        seen: NDArray[np.int32] = counts[beat % self._recent] - counts[(beat - beats) % self._recent]
        return seen

    def _trailing_max(self, beat: int, beats: int) -> Floats:
        hour = self._grid.hour
        if beats <= hour:
            return np.asarray(self.recent("largest", beat, beats).max(axis=0))
        return np.asarray(self.recent("hour", beat, beats - hour + 1)[::hour].max(axis=0))

    def _a_season_ago(self, name: str, beat: int) -> Floats:
        """What seasons are to remember of a beat that nobody saw: a week ago, else a day ago, else the newest."""
        day, newest = self._grid.day, self._arrays[f"history.{name}"][(beat - 1) % self._length]
        days, weeks = (self.ring(name, np.array(beat - n * day)) for n in (1, 7))
        return np.where(self.age > 7 * day, weeks, np.where(self.age > day, days, newest))

    def _found(self, bin_: Bin, new: NDArray[np.bool_]) -> None:
        """A new series' last hours are taken to have been what its first beat was."""
        if new.any():
            self._arrays["history.recent_mean"][:, new] = bin_.mean[new]
            self._arrays["history.recent_largest"][:, new] = bin_.largest[new]
            self._arrays["history.recent_hour"][:, new] = bin_.largest[new]

    def _add_to_sums(self, beat: int, mean: Floats) -> None:
        """The sums hold float16 values, so that what leaves a window is exactly what once entered it."""
        newest = np.minimum(mean, _FLOAT16_MAX).astype(np.float16)
        ring, sums = self._arrays["history.mean"], self._arrays["history.sums"]
        for i, window in enumerate(self._windows):
            oldest = ring[(beat - window) % self._length]
            sums[i] += np.where(self.age > 0, newest, 0).astype(float) - np.where(
                self.age > window, oldest, 0
            )

    def recount(self, beat: int, place: int) -> None:
        """Sums and maxima of one series anew from its rings, up to `beat`."""
        age, day = int(self.age[place]), self._grid.day
        means = self._arrays["history.mean"][
            (beat - np.arange(min(age, self._windows[-1]))) % self._length, place
        ]
        for i, window in enumerate(self._windows):
            self._arrays["history.sums"][i, place] = means[:window].astype(float).sum()
        maxima, largest = self._arrays["history.day_maxima"], self._arrays["history.largest"]
        first = max(beat - age + 1, (beat // day - DAYS) * day)
        maxima[:, place] = 0
        for today in range(first // day, beat // day + 1):
            beats = np.arange(max(first, today * day), min(beat, today * day + day - 1) + 1)
            maxima[today % (DAYS + 1), place] = largest[beats % self._length, place].max()
        self._arrays["history.ever"][place] = maxima[:, place].max()

    def _add_to_maxima(self, beat: int, largest: Floats) -> None:
        maxima = self._arrays["history.day_maxima"]
        today = beat // self._grid.day % (DAYS + 1)
        if beat % self._grid.day == 0:
            maxima[today] = 0
        np.maximum(maxima[today], largest, out=maxima[today])
        np.maximum(self._arrays["history.ever"], largest, out=self._arrays["history.ever"])
