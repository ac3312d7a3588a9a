"""The state of up to 1024 series and one beat of their lives: enough that a call of numpy costs little beside its work."""

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Arrays, Floats, Known
from predictor.calibration.calibrated import Calibrated
from predictor.experts.registry import REGISTRY
from predictor.experts.ridge import Ridge
from predictor.features import Features, Moment
from predictor.grid import Grid, T
from predictor.history import Bin, History
from predictor.mix.caps import Caps
from predictor.mix.coverage import Coverage
from predictor.mix.mixing import Mix
from predictor.mix.safe import SafeStart
from predictor.pool import Pool
from predictor.relevel import relevel
from predictor.rows import Rows
from predictor.shift import Detector

Rows_ = NDArray[np.intp]
CAPACITY = 1024
_SOLVED_WITHIN = 512  # beats in which every series gets a new ridge
_HIGHEST = 2.0  # times the largest load ever seen, above which nothing is forecast


class Block:
    """Steps a beat in this order: what happened, what that says of earlier origins, what comes next."""

    def __init__(self, grid: Grid, pool: Pool) -> None:
        self.arrays, self._grid, self._pool = Arrays(), grid, pool
        self.arrays.declare("block.unit", (), np.nan)
        self._history = History(self.arrays, grid)
        self._features = Features(self.arrays, grid, self._history)
        self._rows = Rows(self.arrays, grid)
        self._experts = [make(self.arrays, grid, pool) for make in REGISTRY.values()]
        self._ridge = next(
            e.point for e in self._experts if isinstance(e, Calibrated) and isinstance(e.point, Ridge)
        )
        self._mix = Mix(self.arrays, grid, len(self._experts))
        self._caps, self._coverage = Caps(self.arrays, grid), Coverage(self.arrays, grid)
        self._safe = SafeStart(self.arrays, grid, self._history)
        self._detector = Detector(self.arrays, grid)

    def step(self, beat: int, bin_: Bin, sampled: Rows_, number: int) -> Floats:
        """Learn a beat and forecast from its end: loads [C, Q, series].

        `sampled` series give the pool a row; the block's `number` spreads the solving of all blocks over time.
        """
        seen = np.isfinite(bin_.last)
        self._history.push(beat, self._roots(bin_, seen), seen)
        self._follow_shifts(beat, seen)
        truth, known = self._history.truths(beat)
        self._learn(beat, truth, known)
        self._learn_rows(beat, truth, known, sampled)
        self._solve(beat + number)
        self._features.learn(beat, truth, known)
        moment = self._features.moment(beat, self._history.newest, self._largest(beat))
        made = [expert.quantiles(moment) for expert in self._experts]
        return self._serve(moment, made, keep=True)

    def forecast(self, beat: int, last: Floats, largest: Floats) -> Floats:
        """Loads [C, Q, series] from an observation newer than the closed `beat`; changes nothing."""
        seen = np.isfinite(last)
        root = self._roots(Bin(last, last, largest), seen)
        moment = self._features.moment(beat, root.last, np.maximum(root.largest, self._largest(beat)))
        return self._serve(moment, [expert.quantiles(moment) for expert in self._experts], keep=False)

    def prime(self, beat: int, bin_: Bin, *, seasons: bool) -> None:
        """Take in a beat of the past without forecasting it: what is known before any expert has learned.

        `seasons` need only be told of the newest longest lead of beats.
        """
        seen = np.isfinite(bin_.last)
        self._history.push(beat, self._roots(bin_, seen), seen)
        self._features.prime(beat, seasons=seasons)

    def errors_known(self) -> Floats:
        """How many errors of its own each lead has, [lead, series]."""
        count: Floats = self.arrays["last.errors.count"][::T]
        return count

    def _follow_shifts(self, beat: int, seen: Known) -> None:
        """A series whose level has shifted goes on with a past at the new one."""
        known = seen & (self._history.age > self._grid.day + self._grid.longest)
        shifts = self._detector.learn(beat, *self._features.usual(beat), known)
        if len(shifts.series):
            relevel(self.arrays, self._grid, self._history, beat, shifts)

    def shifted(self) -> NDArray[np.int64]:
        """The first beat of each series' newest level; -1 for one whose level never shifted."""
        beats: NDArray[np.int64] = self.arrays["shift.last"]
        return beats

    def _largest(self, beat: int) -> Floats:
        return np.asarray(self._history.recent("largest", beat, 1)[0])

    def _learn(self, beat: int, truth: Floats, known: Known) -> None:
        for expert in self._experts:
            expert.learn(beat, truth, known)
        load = truth * truth
        self._mix.learn(beat, load, known)
        self._caps.learn(beat, load, known)
        self._coverage.learn(beat, load, known)
        self._safe.learn(beat, load, known)

    def _learn_rows(self, beat: int, truth: Floats, known: Known, sampled: Rows_) -> None:
        grown = self._history.age > self._grid.day + self._grid.longest
        for row in self._rows.due(beat):
            cells = slice(T * row.lead, T * row.lead + T)
            good = known[cells] & np.isfinite(row.scale) & grown
            y = np.clip((truth[cells] - row.base) / row.scale, -20, 20)
            y = np.where(good, y, 0)
            x = np.where(good[:, None], row.features, 0)
            self._ridge.learn_row(row.lead, x, y, good)
            day = beat * self._grid.beat_ms / 86_400_000
            self._pool.take(self._grid.leads[row.lead], day, x[..., sampled], y[:, sampled], good[:, sampled])

    def _solve(self, beat: int) -> None:
        count = self.arrays.series
        size = -(-count // _SOLVED_WITHIN)
        at = beat * size % max(1, count)
        self._ridge.solve(slice(at, at + size))

    def _serve(self, moment: Moment, made: list[tuple[Floats, Floats]], keep: bool) -> Floats:
        ever = self.arrays["history.ever"]
        roots = np.stack([quantiles for quantiles, _ in made], axis=1)
        loads = np.square(np.clip(roots, 0, np.float32(_HIGHEST**0.5) * ever))
        week_max = np.square(moment.week_max)
        mixed = self._mix.combine(loads)
        ordered = np.sort(mixed, axis=1)
        capped = np.sort(self._caps.apply(ordered, week_max), axis=1)
        covered = self._coverage.apply(capped, np.square(moment.base))
        safe = self._safe.apply(covered, np.square(moment.last))
        served = np.minimum(safe, _HIGHEST * ever * ever)
        if keep:
            for expert, (_, kept) in zip(self._experts, made, strict=True):
                expert.remember(moment, kept)
            self._rows.remember(moment)
            self._mix.remember(moment.beat, loads, mixed)
            self._caps.remember(moment.beat, ordered, week_max)
            self._coverage.remember(moment.beat, served, capped[:, 0])
        return self._own_units(served)

    def _own_units(self, served: Floats) -> Floats:
        """Loads again; NaN for a series that was never seen."""
        unit = self.arrays["block.unit"]
        unit = np.where(np.isnan(unit), 1, unit)
        return np.where(self._history.age > 0, served * unit, np.float32(np.nan))

    def _roots(self, bin_: Bin, seen: Known) -> Bin:
        """Square roots of loads in units of the series' first one that was not zero, gaps filled."""
        unit = self.arrays["block.unit"]
        first = np.isnan(unit) & (bin_.largest > 0)
        unit[first] = bin_.largest[first]
        roots = [np.sqrt(v / np.where(np.isnan(unit), 1, unit)) for v in (bin_.last, bin_.mean, bin_.largest)]
        fill = self._history.newest
        return Bin(*(np.where(seen, r, fill).astype(np.float32) for r in roots))
