"""What a series looked like: rings of its beats over two weeks, exact values of the last six hours."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats
from predictor.grid import MAX, Grid
from predictor.halves import DTYPE, Halves, pack, unpack

DAYS, WEEKS = 7, 2
Rows = NDArray[np.intp]
_SEEN_ENOUGH = np.float32(0.8)


@dataclass(frozen=True, slots=True)
class Bin:
    """What a beat saw, [series]: its last minute's mean, its mean, its largest minute maximum; NaN for a gap."""

    last: Floats
    mean: Floats
    largest: Floats
    saturated: NDArray[np.bool_] | None = field(default=None, kw_only=True)
    """Where the workload could take no more, so that the load is a lower bound; None: nowhere."""

    def rows(self, rows: slice) -> "Bin":
        """Of some series."""
        saturated = None if self.saturated is None else self.saturated[rows]
        return Bin(self.last[rows], self.mean[rows], self.largest[rows], saturated=saturated)


class History:
    """Time-major rings of roots of loads, one row a beat. The caller fills gaps, so nothing in here is NaN.

    `last`, `mean` and `largest` reach back a week and serve the seasons, as halves: their .05 % are far below a day's
    difference from the day before; of a gap they hold what was there a season before. The week before that is kept by
    quarters of an hour, `old_mean` and `old_largest`. `hours` holds the largest of each hour of the clock over both, so
    that a window of many hours costs few rows. The `recent` rings are exact; `hour` is the largest of the hour up to then.
    """

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        week, margin = 7 * grid.day, grid.beats(10) + 1
        self._quarter = grid.beats(15)
        self._recent = grid.longest + 1
        for name in ("last", "mean", "largest"):
            arrays.declare(f"history.{name}", (week + margin,), dtype=DTYPE)
        for name, beats in {
            "old_mean": self._quarter,
            "old_largest": self._quarter,
            "hours": grid.hour,
        }.items():
            longest = WEEKS * week + grid.hour  # two weeks in which the clocks changed
            arrays.declare(f"history.{name}", (longest // beats + 2,), dtype=DTYPE)
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
        last, mean, largest = pack(np.stack([bin_.last, bin_.mean, bin_.largest]))
        if not seen.all():
            last, mean, largest = (
                np.where(seen, values, self._a_season_ago(name, beat))
                for name, values in (("last", last), ("mean", mean), ("largest", largest))
            )
        self._add_to_sums(beat, mean)
        for name, values in {"last": last, "mean": mean, "largest": largest}.items():
            ring = self._arrays[f"history.{name}"]
            ring[beat % len(ring)] = values
        self._add_largest("hours", self._grid.hour, beat, largest)
        self._add_largest("old_largest", self._quarter, beat, largest)
        self._add_old_mean(beat)
        self._add_to_maxima(beat, bin_.largest)

    def recent(self, name: str, beat: int, beats: int) -> Floats:
        """The newest `beats` rows of a recent ring, [beats, series], newest first."""
        rows: Floats = self._arrays[f"history.recent_{name}"][(beat - np.arange(beats)) % self._recent]
        return rows

    def ring(self, name: str, places: Rows) -> Halves:
        """Rows of a long ring, [..., series], by beat, quarter or hour."""
        ring = self._arrays[f"history.{name}"]
        rows: Halves = ring[places % len(ring)]
        return rows

    def own(self, name: str, places: Rows) -> Halves:
        """The same of `places` [..., series], for each series its own."""
        ring = self._arrays[f"history.{name}"]
        rows = (places % len(ring)).reshape(-1, ring.shape[-1])
        return np.asarray(np.take_along_axis(ring, rows, axis=0).reshape(places.shape))

    def mean(self, window: int) -> Floats:
        """Mean over the last 6 h (0), day (1), week (2), or over what there is of it."""
        known = np.clip(self.age, 1, self._windows[window])
        return np.asarray(self._arrays["history.sums"][window] / known, dtype=np.float32)

    def six_hours_max(self, beat: int) -> Floats:
        return self._trailing_max(beat, 6 * self._grid.hour)

    def day_max(self, beat: int) -> Floats:
        """Largest of the last day: its whole hours, what has passed of this one, and the beats before the first."""
        hours = self.ring("hours", beat // self._grid.hour - np.arange(24)).max(axis=0)
        rest = self.ring("largest", beat - self._grid.day + 1 + np.arange(self._grid.hour)).max(axis=0)
        return unpack(np.maximum(hours, rest))

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
        rows = (beat - np.arange(0, beats, hour)) % self._recent
        return np.asarray(self._arrays["history.recent_hour"][rows].max(axis=0))

    def _a_season_ago(self, name: str, beat: int) -> Halves:
        """What seasons are to remember of a beat that nobody saw: a week ago, else a day ago, else the newest."""
        day = self._grid.day
        newest, days, weeks = (self.ring(name, np.array(beat - n)) for n in (1, day, 7 * day))
        return np.where(self.age > 7 * day, weeks, np.where(self.age > day, days, newest))

    def _found(self, bin_: Bin, new: NDArray[np.bool_]) -> None:
        """A new series' last hours are taken to have been what its first beat was."""
        if new.any():
            self._arrays["history.recent_mean"][:, new] = bin_.mean[new]
            self._arrays["history.recent_largest"][:, new] = bin_.largest[new]
            self._arrays["history.recent_hour"][:, new] = bin_.largest[new]

    def _add_to_sums(self, beat: int, mean: Halves) -> None:
        """The sums hold halves, so that what leaves a window is exactly what once entered it."""
        newest = unpack(mean)
        rows = np.array([beat - window for window in self._windows])
        oldest = unpack(self.ring("mean", rows))
        for sums, window, old in zip(self._arrays["history.sums"], self._windows, oldest, strict=True):
            sums += np.where(self.age > 0, newest, 0)
            sums -= np.where(self.age > window, old, 0)

    def _add_largest(self, name: str, beats: int, beat: int, largest: Halves) -> None:
        ring = self._arrays[f"history.{name}"]
        row = ring[beat // beats % len(ring)]
        if beat % beats == 0:
            row[:] = 0
        np.maximum(row, largest, out=row)

    def _add_old_mean(self, beat: int) -> None:
        """Of the quarter that ends with this beat."""
        if (beat + 1) % self._quarter == 0:
            ring = self._arrays["history.old_mean"]
            ring[beat // self._quarter % len(ring)] = pack(
                self.recent("mean", beat, self._quarter).mean(axis=0)
            )

    def recount(self, beat: int, place: int) -> None:
        """Sums and maxima of one series anew from its rings, up to `beat`."""
        age, day = int(self.age[place]), self._grid.day
        means = unpack(self.ring("mean", beat - np.arange(min(age, self._windows[-1])))[:, place])
        for i, window in enumerate(self._windows):
            self._arrays["history.sums"][i, place] = means[:window].astype(float).sum()
        maxima = self._arrays["history.day_maxima"]
        first = max(beat - age + 1, beat - 7 * day)
        maxima[:, place] = 0
        for today in range(first // day, beat // day + 1):
            beats = np.arange(max(first, today * day), min(beat, today * day + day - 1) + 1)
            maxima[today % (DAYS + 1), place] = unpack(self.ring("largest", beats)[:, place]).max()
        self._arrays["history.ever"][place] = maxima[:, place].max()

    def _add_to_maxima(self, beat: int, largest: Floats) -> None:
        maxima = self._arrays["history.day_maxima"]
        today = beat // self._grid.day % (DAYS + 1)
        if beat % self._grid.day == 0:
            maxima[today] = 0
        np.maximum(maxima[today], largest, out=maxima[today])
        np.maximum(self._arrays["history.ever"], largest, out=self._arrays["history.ever"])
