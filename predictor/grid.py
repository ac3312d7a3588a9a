"""What is forecast: two targets, five leads, four quantiles, on a beat of five minutes or longer.

`at` is the minute mean at origin + lead; `max` is the largest minute maximum in (origin, origin + lead],
which is what capacity must cover.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS

BEAT_MS = 5 * MINUTE_MS
BEATS_MS = tuple(m * MINUTE_MS for m in (5, 10, 15, 20, 30, 60))
"""Beats that an engine may have: each divides a day and at least the longest lead."""
TARGETS = ("at", "max")
AT, MAX = 0, 1
LEADS_MS = tuple(m * MINUTE_MS for m in (5, 15, 30, 60, 360))
QUANTILES = (0.5, 0.9, 0.95, 0.99)
BEATS_PER_DAY = DAY_MS // BEAT_MS
T, L, Q = len(TARGETS), len(LEADS_MS), len(QUANTILES)

_STRIDES_MS = tuple(m * MINUTE_MS for m in (5, 5, 10, 20, 40))
"""How often a lead learns: errors of neighboring origins say nearly the same, the more so the longer the lead."""


@dataclass(frozen=True)
class Grid:
    """Times in beats of `beat_ms`. Cells are (lead, target) in lead-major order, C = 2 x leads; a lead that is
    not a multiple of the beat has none."""

    beat_ms: int = BEAT_MS

    @cached_property
    def leads(self) -> tuple[int, ...]:
        """Indices into LEADS_MS."""
        return tuple(i for i, ms in enumerate(LEADS_MS) if ms % self.beat_ms == 0)

    @cached_property
    def lead_beats(self) -> tuple[int, ...]:
        return tuple(LEADS_MS[i] // self.beat_ms for i in self.leads)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """Beats between two origins that a lead learns from; each is a multiple of the one before."""
        return tuple(max(1, _STRIDES_MS[i] // self.beat_ms) for i in self.leads)

    @property
    def cells(self) -> int:
        return T * len(self.leads)

    @property
    def longest(self) -> int:
        return self.lead_beats[-1]

    @cached_property
    def cell_beats(self) -> NDArray[np.intp]:
        """[C]"""
        return np.repeat(self.lead_beats, T)

    @cached_property
    def cell_strides(self) -> NDArray[np.intp]:
        """[C]"""
        return np.repeat(self.strides, T)

    @property
    def day(self) -> int:
        return DAY_MS // self.beat_ms

    @property
    def hour(self) -> int:
        return HOUR_MS // self.beat_ms

    def beats(self, minutes: float) -> int:
        """At least one."""
        return max(1, int(minutes * MINUTE_MS) // self.beat_ms)

    def active(self, beat: int) -> int:
        """How many cells learn on this beat: always the first n, because shorter leads learn more often."""
        return T * sum(beat % stride == 0 for stride in self.strides)


def cell_name(target: int, lead: int, quantile: int) -> str:
    """Column of a cell in the log: `max.15m.q95`."""
    return f"{cell_prefix(target, lead)}.q{QUANTILES[quantile] * 100:.0f}"


def cell_prefix(target: int, lead: int) -> str:
    """What the columns of one target and lead begin with: `max.15m`."""
    return f"{TARGETS[target]}.{LEADS_MS[lead] // MINUTE_MS}m"
