"""The state of up to 2048 series and one beat of their lives: enough that a call of numpy costs little beside its work."""

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import DAY_MS
from predictor.arrays import Arrays, Floats, Known
from predictor.calendar import Calendars
from predictor.calibration.calibrated import Calibrated
from predictor.experts.own import Own
from predictor.experts.registry import REGISTRY, TRUSTED_AT_FIRST
from predictor.experts.ridge import Ridge
from predictor.features import LIMIT, Features, K, Moment
from predictor.grid import Grid, T
from predictor.history import Bin, History
from predictor.mix.caps import Caps
from predictor.mix.coverage import Coverage
from predictor.mix.mixing import Mix
from predictor.mix.order import in_order
from predictor.mix.safe import SafeStart
from predictor.ordering import sorted_quantiles
from predictor.pool import Pool
from predictor.presets import Preset
from predictor.relevel import relevel
from predictor.rows import Rows, from_steps
from predictor.shift import Detector
from predictor.trust.keeper import Trust

Rows_ = NDArray[np.intp]
CAPACITY = 2048
_SOLVED_AT_ONCE = 16  # series whose float32 share a line of the cache
_SOLVED_EVERY = 8  # beats
_HIGHEST = 2.0  # times the largest load ever seen, above which nothing is forecast


class Block:
    """Steps a beat in this order: what happened, what that says of earlier origins, what comes next."""

    def __init__(self, grid: Grid, pool: Pool, preset: Preset) -> None:
        self.arrays, self._grid, self._pool = Arrays(), grid, pool
        self.arrays.declare("block.unit", (), np.nan)
        self._history = History(self.arrays, grid)
        self.calendars = Calendars(grid)
        self._features = Features(self.arrays, grid, self._history, self.calendars)
        self._rows = Rows(self.arrays, grid)
        self._experts = [REGISTRY[name](self.arrays, grid, pool) for name in preset.experts]
        points = [expert.point for expert in self._experts if isinstance(expert, Calibrated)]
        self._regressions = [e for e in (*points, *self._experts) if isinstance(e, Ridge | Own)]
        self._mix = Mix(self.arrays, grid, [TRUSTED_AT_FIRST.get(name, 1) for name in preset.experts])
        self._caps, self._coverage = Caps(self.arrays, grid), Coverage(self.arrays, grid)
        self._safe = SafeStart(self.arrays, grid, self._history)
        self._detector = Detector(self.arrays, grid)
        self.trust = Trust(self.arrays, grid)

    def step(self, beat: int, bin_: Bin, sampled: Rows_, number: int) -> Floats:
        """Learn a beat and forecast from its end: loads [C, Q, series].

        `sampled` series give the pool a row; the block's `number` spreads the solving of all blocks over time.
        """
        self._take_in(beat, bin_)
        self._follow_shifts(beat, np.isfinite(bin_.last))
        truth, known = self._history.truths(beat)
        load = truth * truth
        known = self.trust.learn(beat, bin_, self._own_units(load), known)
        self._learn(beat, truth, load, known)
        self._learn_rows(beat, truth, known, sampled)
        self._solve(beat + number)
        self._features.learn(beat, truth, known)
        moment = self._features.moment(beat, self._history.newest, self._largest(beat))
        made = [expert.quantiles(moment) for expert in self._experts]
        served = self._serve(moment, made, keep=True)
        self.trust.remember(beat, bin_.last, served)
        return served

    def forecast(self, beat: int, last: Floats, largest: Floats) -> Floats:
        """Loads [C, Q, series] from an observation newer than the closed `beat`; changes nothing."""
        seen = np.isfinite(last)
        root = self._roots(Bin(last, last, largest), seen)
        # As in a saturated beat, more may be wanted than the newest minute tells.
        last = np.where(self.trust.saturated, np.maximum(root.last, self._history.newest), root.last)
        moment = self._features.moment(beat, last, np.maximum(root.largest, self._largest(beat)))
        return self._serve(moment, [expert.quantiles(moment) for expert in self._experts], keep=False)

    def prime(self, beat: int, bin_: Bin, *, seasons: bool) -> None:
        """Take in a beat of the past without forecasting it: what is known before any expert has learned.

        `seasons` need only be told of the newest longest lead of beats.
        """
        self._take_in(beat, bin_)
        self._features.prime(beat, seasons=seasons)

    def _take_in(self, beat: int, bin_: Bin) -> None:
        seen = np.isfinite(bin_.last)
        kept = self.trust.see(beat, bin_, self._own_units(np.square(self.arrays["history.ever"])))
        self._history.push(beat, self._roots(kept, seen), seen)

    def errors_known(self) -> Floats:
        """How many errors of its own each lead has, [lead, series]."""
        count: Floats = self.arrays["ridge.errors.count"][::T]
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

    def _learn(self, beat: int, truth: Floats, load: Floats, known: Known) -> None:
        for horizon in self._grid.due(beat):
            of, is_known = truth[horizon.cells], known[horizon.cells]
            for expert in self._experts:
                expert.learn(horizon, beat, of, is_known)
            for part in (self._mix, self._caps, self._coverage):
                part.learn(horizon, beat, load[horizon.cells], is_known)
        self._safe.learn(beat, load, known)

    def _learn_rows(self, beat: int, truth: Floats, known: Known, sampled: Rows_) -> None:
        grown = self._history.age > self._grid.day + self._grid.longest
        day = beat * self._grid.beat_ms / DAY_MS
        for row in self._rows.due(beat):
            cells = row.horizon.cells
            good = known[cells] & np.isfinite(row.scale) & grown
            y = np.where(good, np.clip((truth[cells] - row.base) / row.scale, -LIMIT, LIMIT), np.float32(0))
            if self._regressions:
                x = from_steps(row.features(K))
                for regression in self._regressions:
                    regression.learn_row(row.horizon, x, y, good)
            features = row.features(K, sampled)
            self._pool.take(
                self._grid.leads[row.horizon.number], day, features, y[:, sampled], good[:, sampled]
            )

    def _solve(self, beat: int) -> None:
        """All series once a day, a few at a time: enough that the memory they share is read for all of them at once.
        When a series' turn comes does not depend on who else there is."""
        turn, rest = divmod(beat, _SOLVED_EVERY)
        turns = self._grid.day // _SOLVED_EVERY
        if rest == 0:
            for at in range(turn % turns * _SOLVED_AT_ONCE, self.arrays.series, turns * _SOLVED_AT_ONCE):
                for regression in self._regressions:
                    regression.solve(slice(at, at + _SOLVED_AT_ONCE))

    def _serve(self, moment: Moment, made: list[tuple[Floats, Floats]], keep: bool) -> Floats:
        ever = self.arrays["history.ever"]
        roots = np.stack([quantiles for quantiles, _ in made], axis=1)
        loads = np.square(np.clip(roots, 0, np.float32(_HIGHEST**0.5) * ever))
        week_max = np.square(moment.week_max)
        mixed, poly = self._mix.combine(moment, loads)
        ordered = sorted_quantiles(mixed)
        capped = sorted_quantiles(self._caps.apply(ordered, week_max))
        covered = self._coverage.apply(capped, np.square(moment.base))
        safe = self._safe.apply(covered, np.square(moment.last))
        served = np.minimum(in_order(safe), _HIGHEST * ever * ever)
        if keep:
            for horizon in self._grid.begun(moment.beat):
                for expert, (_, kept) in zip(self._experts, made, strict=True):
                    expert.remember(horizon, moment, kept[horizon.cells])
            self._rows.remember(moment)
            self._mix.remember(moment, loads, poly)
            self._caps.remember(moment.beat, ordered, week_max)
            self._coverage.remember(moment.beat, served, capped[:, 0])
        return self._own_units(served)

    def _own_units(self, served: Floats) -> Floats:
        """Loads again; NaN for a series that was never seen."""
        return np.where(self._history.age > 0, served * self._unit(), np.float32(np.nan))

    def _unit(self) -> Floats:
        """[series]; one until a load was seen."""
        unit = self.arrays["block.unit"]
        return np.where(np.isnan(unit), 1, unit)

    def _roots(self, bin_: Bin, seen: Known) -> Bin:
        """Square roots of loads in units of the series' first one that was not zero, gaps filled."""
        unit = self.arrays["block.unit"]
        first = np.isnan(unit) & (bin_.largest > 0)
        unit[first] = bin_.largest[first]
        known, fill = self._unit(), self._history.newest
        roots = [np.sqrt(v / known) for v in (bin_.last, bin_.mean, bin_.largest)]
        return Bin(*(np.where(seen, r, fill).astype(np.float32) for r in roots))
