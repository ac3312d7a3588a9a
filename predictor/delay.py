"""Values that wait for their truth: what was computed at an origin, given back one lead later."""

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.grid import Grid, Horizon, T


class Delay:
    """A ring per lead of the origins that it learns from and whose truth is not known yet."""

    def __init__(self, arrays: Arrays, name: str, grid: Grid, shape: tuple[int, ...]) -> None:
        self._arrays, self._name = arrays, name
        self._lengths = tuple(h.origins.most_in(h.beats) for h in grid.horizons)
        for horizon, length in zip(grid.horizons, self._lengths, strict=True):
            arrays.declare(f"{name}.{horizon.number}", (length, T, *shape), np.nan)
            arrays.waiting.append(f"{name}.{horizon.number}")

    def due(self, horizon: Horizon, beat: int) -> Floats:
        """[T, ..., series] of the origin whose truth `beat` is, NaN if there was none. To be read before `keep`."""
        return self._place(horizon, beat - horizon.beats)

    def keep(self, horizon: Horizon, beat: int, values: Floats) -> None:
        """`values` [T, ..., series] of the origin `beat`."""
        self._place(horizon, beat)[:] = values

    def _place(self, horizon: Horizon, origin: int) -> Floats:
        number = horizon.number
        place: Floats = self._arrays[f"{self._name}.{number}"][
            horizon.origins.number(origin) % self._lengths[number]
        ]
        return place
