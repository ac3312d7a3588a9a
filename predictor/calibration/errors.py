"""How large a point forecast's errors are now: of the last hour, of the last days, at this time of day."""

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known
from predictor.calibration.start import Start
from predictor.grid import Grid, Horizon
from predictor.halves import DTYPE, pack, unpack

SLOTS = 24  # of an hour
_DAYS = np.float32(1 - 0.5**0.5)  # half of a slot's weight is in its last two days
_SHARES = np.array([0.3, 0.3, 0.4], dtype=np.float32)[:, None, None]
_LEAST = np.float32(0.15)  # of the last days' error


class Errors:
    """Mean absolute errors [C, series] of one point forecast, roots of loads: exponentially weighted over an hour,
    two days and a week, and per slot of the day; the signed mean over an hour and a day."""

    def __init__(self, arrays: Arrays, name: str, grid: Grid) -> None:
        self._arrays, self._name, self._grid = arrays, f"{name}.errors", grid
        arrays.declare(f"{self._name}.means", (grid.cells, 5))
        arrays.declare(f"{self._name}.slots", (SLOTS, grid.cells), -1, dtype=DTYPE)
        arrays.declare(f"{self._name}.count", (grid.cells,))
        self._start = Start(arrays, self._name, grid)
        half_lives = np.array([max(grid.hour, 2), 2 * grid.day, 7 * grid.day, max(grid.hour, 2), grid.day])
        self._rates = (1 - 0.5 ** (grid.strides[:, None] / half_lives)).astype(np.float32)[..., None]
        visits = np.maximum(1, grid.day / SLOTS / grid.strides)  # of a slot in a day
        self._slot_rates = (_DAYS / visits).astype(np.float32)[:, None]

    def learn(self, horizon: Horizon, beat: int, errors: Floats, known: Known) -> None:
        """`errors` [T, series], truth less point, now known."""
        cells, sizes = horizon.cells, np.abs(errors)
        means, count = self._arrays[f"{self._name}.means"][cells], self._arrays[f"{self._name}.count"][cells]
        count += known
        rates = np.maximum(self._rates[cells], 1 / np.maximum(count, 1)[:, None]) * known[:, None]
        means[:, :3] += rates[:, :3] * (sizes[:, None] - means[:, :3])
        means[:, 3:] += rates[:, 3:] * (errors[:, None] - means[:, 3:])
        slots = self._arrays[f"{self._name}.slots"][self._slot(beat), cells]
        old = unpack(slots)
        moved = np.where(slots < 0, sizes, old + self._slot_rates[cells] * (sizes - old))
        slots[:] = np.where(known, pack(moved), slots)

    def means(self) -> Floats:
        """[C, 5, series]: hour, days, week; signed: hour, day."""
        means: Floats = self._arrays[f"{self._name}.means"]
        return self._start.sizes(means, self._arrays[f"{self._name}.count"])

    def at_target(self, beat: int) -> Floats:
        """[C, series]: usual size at the time of day that origin `beat` looks at."""
        cells = np.arange(self._grid.cells)
        slots = self._arrays[f"{self._name}.slots"][self._slot(beat + self._grid.cell_beats), cells]
        return np.where(slots < 0, self.means()[:, 1], unpack(slots))

    def scale(self, beat: int, floor: Floats) -> Floats:
        """[C, series]: what size of error to expect of origin `beat`."""
        means = self.means()
        expected = _SHARES[0] * means[:, 0] + _SHARES[1] * means[:, 1] + _SHARES[2] * self.at_target(beat)
        return np.asarray(np.maximum(np.maximum(expected, _LEAST * means[:, 1]), floor))

    def _slot(self, beat: int | NDArray[np.intp]) -> int | NDArray[np.intp]:
        return beat % self._grid.day * SLOTS // self._grid.day
