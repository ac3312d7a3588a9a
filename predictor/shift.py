"""Level shifts: a release or a traffic move after which a series' past holds at another level, or not at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known
from predictor.grid import Grid

_CLIP = np.float32(8)  # usual deviations: the most that one beat counts
_DRIFT = np.float32(1.5)  # the most that is no news
_COUNTED = np.float32(3)  # what the mean deviation takes in of one
_LEAST_HOURS = 2  # of the largest deviations until there is an alarm
_UNHEARD = np.float32(1.5)  # times the largest sum that came to nothing
_MATURE_DAYS = 7
_LONGEST_HOURS = 5  # what takes longer to show is a trend, and forecasts follow it
_SMALLEST = np.sqrt(np.float32(1.3))  # ratio of roots that is worth the name
_LARGEST = np.sqrt(np.float32(30))  # beyond it a load starts or stops
_FITTED = 0.08  # share of the squared deviation that may be left at another level
_AGAIN_DAYS = 2  # a shift so soon after another says that a level is not all that changed
_MEMORY_DAYS = 7


@dataclass(frozen=True, slots=True)
class Shifts:
    """What was found on a beat, one entry a series: its place in the block, the first beat of its new level, the root
    of the level's ratio to the old one, and whether the past is to be forgotten rather than moved to that level."""

    series: NDArray[np.intp]
    since: NDArray[np.int64]
    ratio: Floats
    forget: Known


class Detector:
    """Two-sided CUSUM (Page 1954), S = max(0, S + min(z, 8) - 1.5), of z = (level - what was likely) / mean |level -
    usual|; a single beat says little however high it is.

    An alarm needs two hours of the largest z or a little longer of lesser ones, a sum half as large again as any that
    came to nothing, and that the usual times one ratio (least squares since S was next to 0) explains nearly all. So a
    series that varies as much by itself has none: its forecasts follow within hours anyway.
    """

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        arrays.declare("shift.usual", ())
        arrays.declare("shift.count", (), dtype="int32")  # of beats that it is the mean of
        arrays.declare("shift.cusum", (2,))  # up, down
        arrays.declare("shift.peak", (2,))  # of the sum since it was last 0
        arrays.declare("shift.highest", ())  # peak of those that came to nothing
        arrays.declare("shift.products", (2, 3))  # sums of level^2, level x usual, usual^2 since `begun`
        arrays.declare("shift.begun", (2,), dtype="int64")
        arrays.declare("shift.last", (), -1, dtype="int64")  # the first beat of the newest shift; -1 for none
        arrays.declare("shift.ratio", (), 1)  # its
        self._rate = np.float32(1 / (_MEMORY_DAYS * grid.day))
        self._least = (_CLIP - _DRIFT) * _LEAST_HOURS * grid.hour
        self._fade = np.float32(0.5 ** (1 / (28 * grid.day)))

    def learn(self, beat: int, level: Floats, usual: Floats, nearest: Floats, known: Known) -> Shifts:
        """`level` [series] of the newest beats, what is usual at this time and what of all that is likely is nearest,
        roots; `known` where a day lies behind and the beat was seen."""
        z = self._standardized(level - usual, level - nearest, known)
        cusum, highest = (self._arrays[f"shift.{name}"] for name in ("cusum", "highest"))
        moved = np.maximum(cusum + np.minimum(np.stack([z, -z]), _CLIP) - _DRIFT, 0)
        self._sum_up(beat, level, usual)
        shifts = self._shifts(beat, self._alarms(beat, moved))
        moved[:, shifts.series] = 0
        over = self._arrays["shift.peak"] * (moved == 0)
        over[:, shifts.series] = 0
        np.maximum(self._fade * highest, over.max(axis=0), out=highest)
        self._arrays["shift.peak"][:] = np.maximum(self._arrays["shift.peak"], moved) * (moved > 0)
        cusum[:] = moved
        self._arrays["shift.last"][shifts.series] = shifts.since
        self._arrays["shift.ratio"][shifts.series] = shifts.ratio
        return shifts

    def _standardized(self, deviation: Floats, unlikely: Floats, known: Known) -> Floats:
        """The unlikely part in units of the mean deviation, to which each counts up to thrice what is usual."""
        usual, count = self._arrays["shift.usual"], self._arrays["shift.count"]
        count += known
        rate = np.maximum(self._rate, 1 / np.maximum(count, 1))
        size = np.abs(deviation)
        counted = np.where(count > self._grid.day, np.minimum(size, _COUNTED * usual), size)
        usual += np.where(known, rate * (counted - usual), 0).astype(np.float32)
        return np.asarray(np.divide(unlikely, usual, out=np.zeros_like(unlikely), where=known & (usual > 0)))

    def _sum_up(self, beat: int, level: Floats, usual: Floats) -> None:
        """From the last beat on before which the sums were less than a single beat can make them."""
        products, begun = self._arrays["shift.products"], self._arrays["shift.begun"]
        going = self._arrays["shift.cusum"] >= _CLIP - _DRIFT
        begun[:] = np.where(going, begun, beat)
        products *= going[:, None]
        products += np.stack([level * level, level * usual, usual * usual])

    def _alarms(self, beat: int, moved: Floats) -> Known:
        """[2, series]"""
        squares, mixed, usual = self._arrays["shift.products"].swapaxes(0, 1)
        before = squares - 2 * mixed + usual
        after = squares - mixed * mixed / np.maximum(usual, np.float32(1e-30))
        enough = moved > np.maximum(self._least, _UNHEARD * self._arrays["shift.highest"])
        mature = self._arrays["shift.count"] > _MATURE_DAYS * self._grid.day
        sudden = beat - self._arrays["shift.begun"] <= _LONGEST_HOURS * self._grid.hour
        ratio = mixed / np.maximum(usual, np.float32(1e-30))
        large = np.maximum(ratio, 1 / np.maximum(ratio, np.float32(1e-30)))
        worthy = (large > _SMALLEST) & (large < _LARGEST)
        return np.asarray(enough & sudden & worthy & mature & (after < _FITTED * before))

    def _shifts(self, beat: int, alarm: Known) -> Shifts:
        series = np.flatnonzero(alarm.any(axis=0))
        side = alarm[:, series].argmax(axis=0)
        products = self._arrays["shift.products"][side, :, series]
        since = self._arrays["shift.begun"][side, series]
        last = self._arrays["shift.last"][series]
        ratio = products[:, 1] / products[:, 2]
        again = (last >= 0) & (beat - last < _AGAIN_DAYS * self._grid.day)
        back = np.abs(np.log(ratio * self._arrays["shift.ratio"][series])) < np.log(_SMALLEST)
        return Shifts(series, since, ratio, again & ~back)
