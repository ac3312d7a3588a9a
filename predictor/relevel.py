"""What a series goes on with after a level shift."""

import numpy as np

from predictor.arrays import Arrays
from predictor.calibration.errors import SLOTS
from predictor.grid import Grid
from predictor.halves import pack, unpack
from predictor.history import History
from predictor.shift import Shifts

_EXACT = ("recent_mean", "recent_largest", "recent_hour")
_LONG = ("last", "mean", "largest")


def relevel(arrays: Arrays, grid: Grid, history: History, beat: int, shifts: Shifts) -> None:
    """Move the past to the new level, or forget it.

    All values are in units of the series' own, so what was learned at the old level holds at the new one in another
    unit; only the beats between the shift and its discovery change. Origins that wait for their truth were of the
    other level: they teach nothing.
    """
    for name in arrays.waiting:
        arrays[name][..., shifts.series] = np.nan
    arrays["block.unit"][shifts.series] *= np.square(shifts.ratio)
    arrays["safe.largest"][:, shifts.series] = 0
    for place, since, ratio, forget in zip(
        shifts.series, shifts.since, shifts.ratio, shifts.forget, strict=True
    ):
        beats = np.arange(since, beat + 1)
        _move(arrays, grid, place, beats, ratio)
        if forget:
            arrays["history.age"][place] = len(beats)
            arrays["seasons.at"][..., place] = -1
        history.recount(beat, place)
        _forgive(arrays, grid, place, beats)


def _move(arrays: Arrays, grid: Grid, place: int, beats: np.ndarray, ratio: float) -> None:
    """The beats since the shift into the new unit."""
    arrays["history.newest"][place] /= ratio
    for name in _EXACT:
        ring = arrays[f"history.{name}"]
        ring[beats[-len(ring) :] % len(ring), place] /= ratio
    quarter = grid.beats(15)
    longer = {"old_mean": quarter, "old_largest": quarter, "hours": grid.hour}
    for name, length in {**dict.fromkeys(_LONG, 1), **longer}.items():
        ring = arrays[f"history.{name}"]
        rows = np.unique(beats // length)[-len(ring) :] % len(ring)
        ring[rows, place] = pack(unpack(ring[rows, place]) / ratio)


def _forgive(arrays: Arrays, grid: Grid, place: int, beats: np.ndarray) -> None:
    """Errors made while the shift was not known yet are not what is usual."""
    slots = np.unique(beats % grid.day * SLOTS // grid.day)
    for name in arrays:
        if name.endswith(".errors.means"):
            means = arrays[name][:, :, place]
            means[:, :2] = np.minimum(means[:, :2], means[:, 2:3])
            means[:, 3:] = 0
        elif name.endswith(".errors.slots"):
            arrays[name][slots, :, place] = -1
