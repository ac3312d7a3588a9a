"""The forecast engine: experts, their conformal quantiles and the mix, stepped once a beat over all series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats
from predictor.conformal import Conformal
from predictor.experts import REGISTRY
from predictor.experts.protocol import Observation
from predictor.grid import BEAT_MS, LEAD_BEATS, LONGEST, L, T
from predictor.mixing import Mix

HOUR_BEATS = 12
STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles in the series' own units, [target, lead, quantile, series]; NaN where a series has a gap."""

    values: Floats
    uncalibrated: NDArray[np.uint32]  # [series], bit lead * 4 + quantile


class Engine:
    """Learns on closed beats of five minutes; forecasts from any newer observation without learning it."""

    def __init__(self) -> None:
        self.arrays = Arrays()
        self.ids: dict[int, int] = {}  # series id -> row
        self.beat = -1
        self.arrays.declare("engine.at", (LONGEST + 1,), np.nan)
        self.arrays.declare("engine.max", (LONGEST + 1,), np.nan)
        self.arrays.declare("engine.ceiling", (), 0.0)
        self._experts = [expert(self.arrays) for expert in REGISTRY]
        self._conformal = Conformal(self.arrays, len(self._experts))
        self._mix = Mix(self.arrays, len(self._experts))

    def rows(self, ids: Sequence[int]) -> NDArray[np.intp]:
        """Rows of the series, new ones included."""
        new = [i for i in dict.fromkeys(ids) if i not in self.ids]
        if new:
            self.ids.update({i: self.arrays.series + n for n, i in enumerate(new)})
            self.arrays.grow(len(new))
        return np.array([self.ids[i] for i in ids], dtype=np.intp)

    def step(self, beat: int, last: Floats, largest: Floats) -> Forecast:
        """Learn the closed `beat` (beats since the epoch, ascending) and forecast from its end.

        `last` [series]: mean of its last minute; `largest` [series]: its largest minute maximum; loads in
        their own units, NaN for a gap. Raises ValueError for a beat that is not newer than the last.
        """
        if beat <= self.beat:
            raise ValueError(f"beat {beat} is not after {self.beat}")
        self._skip_to(beat)
        z_last, z_max = _root(last), _root(largest)
        ring = beat % (LONGEST + 1)
        self.arrays["engine.at"][ring] = z_last
        self.arrays["engine.max"][ring] = z_max
        np.fmax(self.arrays["engine.ceiling"], z_max, out=self.arrays["engine.ceiling"])
        self.beat = beat
        truth = self._truth(z_last)
        seen = Observation(beat, z_last, self._hour_max(z_max))
        for expert in self._experts:
            expert.learn(seen, truth)
        self._conformal.learn(beat, z_last, truth)
        self._mix.learn(beat, truth)
        points, quantiles = self._quantiles(seen)
        self._conformal.remember(beat, points)
        self._mix.remember(beat, quantiles)
        return self._served(quantiles)

    def forecast(self, last: Floats, largest: Floats) -> Forecast:
        """Forecast from observations newer than the last beat (`largest`: the open beat's maximum so far)."""
        z_last = _root(last)
        seen = Observation(self.beat, z_last, self._hour_max(_root(largest)))
        return self._served(self._quantiles(seen)[1])

    def save(self) -> dict[str, NDArray[Any]]:
        """All memory, for a checkpoint."""
        ids = np.array(list(self.ids), dtype=np.uint64)
        head = {"version": np.array(STATE_VERSION), "beat": np.array(self.beat), "ids": ids}
        return head | {name: self.arrays[name] for name in self.arrays}

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `save` gave. Raises ValueError when it is of another version or does not fit."""
        if int(saved["version"]) != STATE_VERSION:
            raise ValueError(f"state version {int(saved['version'])} is not {STATE_VERSION}")
        self.arrays.load(saved)
        self.ids = {int(series): row for row, series in enumerate(saved["ids"])}
        self.beat = int(saved["beat"])

    def _skip_to(self, beat: int) -> None:
        """Beats that nobody saw are gaps: their slots in the rings must not hold what was there a turn ago."""
        for missed in range(max(self.beat + 1, beat - LONGEST), beat):
            ring = missed % (LONGEST + 1)
            for name in ("engine.at", "engine.max", "profile.base", "profile.deviation"):
                self.arrays[name][ring] = np.nan
            self.arrays["conformal.points"][ring] = np.nan
            self.arrays["mix.served"][ring] = np.nan

    def _truth(self, z_last: Floats) -> Floats:
        """[target, lead, series]: what the targets of the origins one lead ago turned out to be."""
        recent = self.arrays["engine.max"][(self.beat - np.arange(LONGEST)) % (LONGEST + 1)]
        truth = np.empty((T, L, len(z_last)), dtype=np.float32)
        truth[0] = z_last
        for i, beats in enumerate(LEAD_BEATS):
            truth[1, i] = _mostly_seen_max(recent[:beats])
        return truth

    def _hour_max(self, newest: Floats) -> Floats:
        """Largest of the last hour, the newest included."""
        rows = (self.beat - np.arange(HOUR_BEATS)) % (LONGEST + 1)
        return np.fmax(np.fmax.reduce(self.arrays["engine.max"][rows]), newest)

    def _quantiles(self, seen: Observation) -> tuple[Floats, Floats]:
        """Points [lead, expert, target, series], quantiles [lead, expert, target, quantile, series]."""
        points = np.stack([expert.points(seen) for expert in self._experts]).transpose(2, 0, 1, 3)
        return points, points[:, :, :, None] + self._conformal.offsets()

    def _served(self, quantiles: Floats) -> Forecast:
        """Back to loads; nothing may exceed twice the largest load seen (a root grown by sqrt 2)."""
        mixed = np.clip(self._mix.combine(quantiles), 0, np.float32(2**0.5) * self.arrays["engine.ceiling"])
        return Forecast(mixed * mixed, self._conformal.uncalibrated())


def beat_of(time_ms: int) -> int:
    """The beat that contains the minute which ends at `time_ms`; its own end is `(beat + 1) * BEAT_MS`."""
    return (time_ms - 1) // BEAT_MS


def _root(load: Floats) -> Floats:
    return np.sqrt(np.asarray(load, dtype=np.float32))


def _mostly_seen_max(window: Floats) -> Floats:
    """Largest of a window [beats, series] of which at least four fifths were seen, else NaN."""
    seen = np.isfinite(window).mean(axis=0)
    return np.where(seen >= 0.8, np.fmax.reduce(window), np.float32(np.nan))
