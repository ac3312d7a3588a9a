"""Rows for the regressions: an origin's features that wait for their truth, about one origin in ten minutes or more."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats
from predictor.features import LIMIT, OWN, SHARED, Moment
from predictor.grid import BEAT_MS, Grid, Horizon, Origins, T

_ORIGINS = (Origins(5, (0, 2)), Origins(5, (1, 4)), Origins(5, (1, 4)), Origins(5, (2, 4)), Origins(7))
"""Per lead of LEADS_MS on beats of five minutes, chosen as those of the grid are, and so that no beat has all the work."""
Steps = NDArray[np.int16]
_STEPS = np.float32(32767 / LIMIT)
_STEP = np.float32(LIMIT / 32767)


def in_steps(features: Floats) -> Steps:
    """Features lie between -LIMIT and LIMIT: as many of 65 534 equal steps, half the memory at the worst error of a
    float16 and, unlike it, converted many at a time."""
    return np.asarray(np.rint(features * _STEPS), dtype=np.int16)


def from_steps(steps: Steps) -> Floats:
    return np.asarray(steps * _STEP)


@dataclass(frozen=True, slots=True)
class Row:
    """What was known at an origin whose truth is known now: both targets of one lead."""

    horizon: Horizon
    shared: Steps  # [SHARED, series] features that are the same for both
    own: Steps  # [T, OWN, series]
    base: Floats  # [series]
    scale: Floats  # [series]; NaN where there was no such origin

    def features(self, first: int, series: slice | NDArray[np.intp] = slice(None)) -> Steps:
        """[T, first, series]: the first of the K features."""
        shared, own = SHARED[: np.searchsorted(SHARED, first)], OWN[: np.searchsorted(OWN, first)]
        steps = np.empty((T, first, self.base[series].size), dtype=np.int16)
        steps[:, shared] = self.shared[: len(shared), series]
        steps[:, own] = self.own[:, : len(own), series]
        return steps


def row_horizons(grid: Grid) -> tuple[Horizon, ...]:
    """The grid's leads with the origins of their rows; on longer beats every beat is one."""
    if grid.beat_ms != BEAT_MS:
        return grid.horizons
    return tuple(replace(h, origins=_ORIGINS[grid.leads[h.number]]) for h in grid.horizons)


class Rows:
    """A ring per lead."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._horizons = arrays, row_horizons(grid)
        self._slots = tuple(h.origins.most_in(h.beats) for h in self._horizons)
        for lead, slots in enumerate(self._slots):
            arrays.declare(f"rows.{lead}.shared", (slots, len(SHARED)), dtype="int16")
            arrays.declare(f"rows.{lead}.own", (slots, T, len(OWN)), dtype="int16")
            arrays.declare(f"rows.{lead}.units", (slots, 2), np.nan)
            arrays.waiting.append(f"rows.{lead}.units")

    def remember(self, moment: Moment) -> None:
        """To be called after `due` of the same beat was learned from: it may take the place of what that gave."""
        for horizon in self._horizons:
            if horizon.origins.hold(moment.beat):
                lead, cells = horizon.number, moment.features[horizon.cells]
                slot = self._slot(horizon, moment.beat)
                self._arrays[f"rows.{lead}.shared"][slot] = in_steps(cells[0, SHARED])
                self._arrays[f"rows.{lead}.own"][slot] = in_steps(cells[:, OWN])
                self._arrays[f"rows.{lead}.units"][slot] = moment.base, moment.scale

    def due(self, beat: int) -> list[Row]:
        """The rows whose truth becomes known on this beat."""
        due = (h for h in self._horizons if h.origins.hold(beat - h.beats))
        return [self._row(horizon, beat - horizon.beats) for horizon in due]

    def _row(self, horizon: Horizon, origin: int) -> Row:
        slot, lead = self._slot(horizon, origin), horizon.number
        shared, own, units = (
            self._arrays[f"rows.{lead}.{part}"][slot] for part in ("shared", "own", "units")
        )
        return Row(horizon, shared, own, *units)

    def _slot(self, horizon: Horizon, origin: int) -> int:
        return horizon.origins.number(origin) % self._slots[horizon.number]
