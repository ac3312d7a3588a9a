"""Rows for the regressions: an origin's features that wait for their truth, one origin in ten minutes or more."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats
from predictor.features import LIMIT, OWN, SHARED, Moment
from predictor.grid import Grid, T

EVERY_MINUTES = (10, 10, 10, 10, 30)
"""Per lead of LEADS_MS: errors of neighboring origins say nearly the same, the more so the longer the lead."""
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

    lead: int  # index among the grid's leads
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


class Rows:
    """A ring per lead. Leads come due on different beats, so that no beat has all the work."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        self.every = tuple(grid.beats(EVERY_MINUTES[lead]) for lead in grid.leads)
        for lead, beats in enumerate(grid.lead_beats):
            slots = beats // self.every[lead] + 1
            arrays.declare(f"rows.{lead}.shared", (slots, len(SHARED)), dtype="int16")
            arrays.declare(f"rows.{lead}.own", (slots, T, len(OWN)), dtype="int16")
            arrays.declare(f"rows.{lead}.units", (slots, 2), np.nan)

    def remember(self, moment: Moment) -> None:
        for lead, beats in enumerate(self._grid.lead_beats):
            if self._is_due(lead, moment.beat + beats):
                slot, cells = self._slot(lead, moment.beat), moment.features[T * lead : T * lead + T]
                self._arrays[f"rows.{lead}.shared"][slot] = in_steps(cells[0, SHARED])
                self._arrays[f"rows.{lead}.own"][slot] = in_steps(cells[:, OWN])
                self._arrays[f"rows.{lead}.units"][slot] = moment.base, moment.scale

    def due(self, beat: int) -> list[Row]:
        """The rows whose truth becomes known on this beat."""
        leads = [lead for lead in range(len(self._grid.leads)) if self._is_due(lead, beat)]
        return [self._row(lead, beat - self._grid.lead_beats[lead]) for lead in leads]

    def _row(self, lead: int, origin: int) -> Row:
        slot = self._slot(lead, origin)
        shared, own, units = (
            self._arrays[f"rows.{lead}.{part}"][slot] for part in ("shared", "own", "units")
        )
        return Row(lead, shared, own, *units)

    def _is_due(self, lead: int, beat: int) -> bool:
        return (beat - lead) % self.every[lead] == 0

    def _slot(self, lead: int, origin: int) -> int:
        slots = self._grid.lead_beats[lead] // self.every[lead] + 1
        return origin // self.every[lead] % slots
