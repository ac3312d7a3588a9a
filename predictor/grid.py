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


@dataclass(frozen=True)
class Origins:
    """The beats that a lead learns from: those whose remainder by `period` is one of `phases`."""

    period: int = 1
    phases: tuple[int, ...] = (0,)

    def hold(self, beat: int) -> bool:
        return beat % self.period in self.phases

    def number(self, origin: int) -> int:
        """One more than that of the origin before."""
        return origin // self.period * len(self.phases) + self.phases.index(origin % self.period)

    def most_in(self, beats: int) -> int:
        """The most origins that so many beats in a row may hold."""
        return max(sum(self.hold(first + i) for i in range(beats)) for first in range(self.period))

    @property
    def stride(self) -> float:
        """Beats from one to the next, on average."""
        return self.period / len(self.phases)


_ORIGINS = (Origins(), Origins(), Origins(5, (0, 2)), Origins(5), Origins(7))
"""Per lead of LEADS_MS on beats of five minutes: errors of neighboring origins say nearly the same, the more so the
longer the lead. The periods have no factor in common with the hour's twelve beats, so that whatever recurs every ten,
fifteen or thirty minutes is met at all its phases."""


@dataclass(frozen=True)
class Horizon:
    """A lead of a grid, in its beats."""

    number: int  # among the grid's leads
    beats: int
    origins: Origins

    @property
    def cells(self) -> slice:
        return slice(T * self.number, T * self.number + T)


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
    def horizons(self) -> tuple[Horizon, ...]:
        origins = _ORIGINS if self.beat_ms == BEAT_MS else (Origins(),) * L
        beats = zip(self.leads, self.lead_beats, strict=True)
        return tuple(Horizon(n, one, origins[lead]) for n, (lead, one) in enumerate(beats))

    def due(self, beat: int) -> tuple[Horizon, ...]:
        """Those that learn on this beat: what it saw is the truth of one of their origins."""
        return tuple(h for h in self.horizons if h.origins.hold(beat - h.beats))

    def begun(self, beat: int) -> tuple[Horizon, ...]:
        """Those of which this beat is an origin."""
        return tuple(h for h in self.horizons if h.origins.hold(beat))

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
    def strides(self) -> NDArray[np.float64]:
        """Beats between two origins of a cell, [C]."""
        return np.repeat([h.origins.stride for h in self.horizons], T)

    @property
    def day(self) -> int:
        return DAY_MS // self.beat_ms

    @property
    def hour(self) -> int:
        return HOUR_MS // self.beat_ms

    def beats(self, minutes: float) -> int:
        """At least one."""
        return max(1, int(minutes * MINUTE_MS) // self.beat_ms)


def cell_name(target: int, lead: int, quantile: int) -> str:
    """Column of a cell in the log: `max.15m.q95`."""
    return f"{cell_prefix(target, lead)}.q{QUANTILES[quantile] * 100:.0f}"


def cell_prefix(target: int, lead: int) -> str:
    """What the columns of one target and lead begin with: `max.15m`."""
    return f"{TARGETS[target]}.{LEADS_MS[lead] // MINUTE_MS}m"
