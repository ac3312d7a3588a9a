"""Rows for the regressions: an origin's features that wait for their truth, one origin in ten minutes or more."""

from dataclasses import dataclass

import numpy as np

from predictor.arrays import Arrays, Floats
from predictor.features import K, Moment
from predictor.grid import Grid, T

EVERY_MINUTES = (10, 10, 10, 10, 30)
"""Per lead of LEADS_MS: errors of neighboring origins say nearly the same, the more so the longer the lead."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was known at an origin whose truth is known now: both targets of one lead."""

    lead: int  # index among the grid's leads
    features: Floats  # [T, K, series]; NaN where there was no such origin
    base: Floats  # [series]
    scale: Floats  # [series]


class Rows:
    """A ring per lead. Leads come due on different beats, so that no beat has all the work."""

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self._grid = arrays, grid
        self.every = tuple(grid.beats(EVERY_MINUTES[lead]) for lead in grid.leads)
        for lead, beats in enumerate(grid.lead_beats):
            slots = beats // self.every[lead] + 1
            arrays.declare(f"rows.{lead}.features", (slots, T, K), np.nan, dtype="float16")
            arrays.declare(f"rows.{lead}.units", (slots, 2), np.nan)
            arrays.waiting.append(f"rows.{lead}.units")

    def remember(self, moment: Moment) -> None:
        for lead, beats in enumerate(self._grid.lead_beats):
            if self._is_due(lead, moment.beat + beats):
                slot = self._slot(lead, moment.beat)
                self._arrays[f"rows.{lead}.features"][slot] = moment.features[T * lead : T * lead + T]
                self._arrays[f"rows.{lead}.units"][slot] = moment.base, moment.scale

    def due(self, beat: int) -> list[Row]:
        """The rows whose truth becomes known on this beat."""
        leads = [lead for lead in range(len(self._grid.leads)) if self._is_due(lead, beat)]
        return [self._row(lead, beat - self._grid.lead_beats[lead]) for lead in leads]

    def _row(self, lead: int, origin: int) -> Row:
        slot = self._slot(lead, origin)
        units = self._arrays[f"rows.{lead}.units"][slot]
        features = self._arrays[f"rows.{lead}.features"][slot].astype(np.float32)
        return Row(lead, features, units[0], units[1])

    def _is_due(self, lead: int, beat: int) -> bool:
        return (beat - lead) % self.every[lead] == 0

    def _slot(self, lead: int, origin: int) -> int:
        slots = self._grid.lead_beats[lead] // self.every[lead] + 1
        return origin // self.every[lead] % slots
