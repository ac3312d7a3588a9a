"""The forecast engine: all series of one beat length, in blocks, stepped once a beat."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import DAY_MS
from predictor.arrays import Floats, keep_freed_memory
from predictor.block import CAPACITY, Block
from predictor.calendar import Calendar, assigned
from predictor.grid import BEAT_MS, QUANTILES, Grid, L, Q, T
from predictor.history import Bin
from predictor.pool import ROWS_AT_ONCE, Pool
from predictor.presets import BEST, Preset
from predictor.trust.record import FIGURES, Day

STATE_VERSION = 5
ERRORS_BEYOND = 1000
"""So many errors of its own a series needs at a lead before a quantile above .99 is extrapolated."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles in the series' own units, [target, lead, quantile, series]; NaN for a series that was never seen
    and for a lead that is not a multiple of the beat."""

    values: Floats
    uncalibrated: NDArray[np.uint32]  # [series], bit lead * 5 + quantile: too few errors of its own
    """The fifth quantile of a lead is any above the grid's."""
    distrust: NDArray[np.uint32]  # [series], `cme.core.distrust` over the cells lead * 2 + target
    shifted_ms: NDArray[np.int64]  # [series], since when a shifted level holds; 0 if none was seen


class Engine:
    """Learns on closed beats; forecasts from any newer observation without learning it.

    Engines of different beats share a pool, so that what one learned of its series serves the others.
    """

    def __init__(self, grid: Grid | None = None, pool: Pool | None = None, preset: Preset = BEST) -> None:
        keep_freed_memory()
        self.grid, self.pool, self._preset = grid or Grid(), pool or Pool(), preset
        self.ids: dict[int, int] = {}  # series id -> row
        self.beat = -1
        self._blocks: list[Block] = []
        self._calendars: Mapping[int, Calendar] = {}
        self._skipped = 0  # whole weeks, in beats, that nobody saw and the blocks know nothing of
        self._sampled = 0

    @property
    def series(self) -> int:
        return len(self.ids)

    def rows(self, ids: Sequence[int]) -> NDArray[np.intp]:
        """Rows of the series, new ones included."""
        new = [i for i in dict.fromkeys(ids) if i not in self.ids]
        self.ids.update({i: self.series + n for n, i in enumerate(new)})
        if new:
            self._grow(len(new))
            self._assign()
        return np.array([self.ids[i] for i in ids], dtype=np.intp)

    def follow(self, calendars: Mapping[int, Calendar]) -> None:
        """From now on the days of these series are local ones; the others' are days of UTC without holidays."""
        self._calendars = calendars
        self._assign()

    def step(self, beat: int, seen: Bin) -> Forecast:
        """Learn the closed `beat` (beats since the epoch, ascending) and forecast from its end.

        `seen` [series], loads in their own units. Beats in between that nobody saw are gaps of all series.
        Raises ValueError for a beat that is not newer than the last.
        """
        if beat <= self.beat:
            raise ValueError(f"beat {beat} is not after {self.beat}")
        for missed in self._missed(beat):
            self._step(missed - self._skipped, _nothing(self.series))
        self.beat = beat
        return self._served(self._step(beat - self._skipped, seen))

    def prime(self, beat: int, seen: Bin, *, seasons: bool) -> None:
        """Take in a beat of the past without learning from it; `seasons` for those of the newest longest lead."""
        for missed in self._missed(beat):
            self._prime(missed - self._skipped, _nothing(self.series), seasons)
        self.beat = beat
        self._prime(beat - self._skipped, seen, seasons)

    def forecast(self, last: Floats, largest: Floats) -> Forecast:
        """Forecast from observations newer than the last beat (`largest`: the open beat's maximum so far).

        A series without a `last` value has no forecast: what was seen before a gap says nothing of now.
        """
        beat = self.beat - self._skipped
        served = [block.forecast(beat, last[rows], largest[rows]) for block, rows in self._each()]
        forecast = self._served(served)
        forecast.values[..., ~np.isfinite(last)] = np.nan
        return forecast

    def compared(self) -> tuple[Day, NDArray[np.uint32]]:
        """What became of the last day's forecasts, [lead * 2 + target, series], and whom they leave in distrust, [series].

        Nothing but zeros for a lead that is not a multiple of the beat.
        """
        none = np.zeros((len(FIGURES), L * T, 0), dtype=np.float32)
        figures = np.concatenate([none, *(block.trust.figures() for block in self._blocks)], axis=-1)
        distrust = [np.zeros(0, dtype=np.uint32), *(block.trust.distrust() for block in self._blocks)]
        return Day(*figures), np.concatenate(distrust)

    def save(self) -> dict[str, NDArray[Any]]:
        """All memory, for a checkpoint."""
        ids = np.array(list(self.ids), dtype=np.uint64)
        counters = np.array([STATE_VERSION, self.beat, self._skipped, self._sampled, self.grid.beat_ms])
        saved = {"counters": counters, "ids": ids, **self.pool.save()}
        for number, block in enumerate(self._blocks):
            saved |= {f"{number}/{name}": block.arrays[name] for name in block.arrays}
        return saved

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `save` gave. Raises ValueError when it is of another version or does not fit."""
        version, beat, skipped, sampled, beat_ms = (int(x) for x in saved["counters"])
        if version != STATE_VERSION:
            raise ValueError(f"state version {version} is not {STATE_VERSION}")
        if beat_ms != self.grid.beat_ms:
            raise ValueError(f"saved beats of {beat_ms} ms are not {self.grid.beat_ms} ms")
        self.ids = {int(series): row for row, series in enumerate(saved["ids"])}
        self._blocks = [self._loaded(number, saved) for number in range(-(-self.series // CAPACITY))]
        self.pool.load(saved)
        self.beat, self._skipped, self._sampled = beat, skipped, sampled
        self._assign()

    def _loaded(self, number: int, saved: Mapping[str, NDArray[Any]]) -> Block:
        block = Block(self.grid, self.pool, self._preset)
        own = f"{number}/"
        block.arrays.load({name.removeprefix(own): a for name, a in saved.items() if name.startswith(own)})
        return block

    def _grow(self, count: int) -> None:
        while count:
            if not self._blocks or self._blocks[-1].arrays.series == CAPACITY:
                self._blocks.append(Block(self.grid, self.pool, self._preset))
            room = min(count, CAPACITY - self._blocks[-1].arrays.series)
            self._blocks[-1].arrays.grow(room)
            count -= room

    def _assign(self) -> None:
        """Tell the blocks their series' calendars."""
        calendars = assigned(self._calendars, self.ids)
        for block, rows in self._each():
            block.calendars.assign(calendars[rows], self._skipped)

    def _missed(self, beat: int) -> range:
        """Beats to step as gaps. Whole weeks are skipped instead: a week later looks like now."""
        if self.beat < 0:
            return range(0)
        week = 7 * self.grid.day
        if beat - self.beat > week:
            self._skipped += (beat - self.beat - 1) // week * week
            self._assign()
        return range(beat - (beat - self.beat - 1) % week, beat)

    def _step(self, beat: int, seen: Bin) -> list[Floats]:
        self.pool.refit(beat * self.grid.beat_ms / DAY_MS)
        sample = self._sample()
        served = []
        for number, (block, rows) in enumerate(self._each()):
            sampled = sample[(sample >= rows.start) & (sample < rows.stop)] - rows.start
            served.append(block.step(beat, seen.rows(rows), sampled, number))
        return served

    def _prime(self, beat: int, seen: Bin, seasons: bool) -> None:
        for block, rows in self._each():
            block.prime(beat, seen.rows(rows), seasons=seasons)

    def _sample(self) -> NDArray[np.intp]:
        """The series whose rows the pool gets on this beat, all in turn."""
        count = min(ROWS_AT_ONCE, self.series)
        sample = (self._sampled + np.arange(count)) % max(1, self.series)
        self._sampled = (self._sampled + count) % max(1, self.series)
        return sample

    def _each(self) -> Iterator[tuple[Block, slice]]:
        for number, block in enumerate(self._blocks):
            start = number * CAPACITY
            yield block, slice(start, start + block.arrays.series)

    def _served(self, served: list[Floats]) -> Forecast:
        """Blocks' [C, Q, series] as one [target, lead, quantile, series]."""
        values = np.full((T, L, Q, self.series), np.nan, dtype=np.float32)
        uncalibrated, distrust = (np.empty(self.series, dtype=np.uint32) for _ in range(2))
        shifted_ms = np.zeros(self.series, dtype=np.int64)
        for (block, rows), cells in zip(self._each(), served, strict=True):
            by_lead = cells.reshape(len(self.grid.leads), T, Q, -1).swapaxes(0, 1)
            values[:, list(self.grid.leads), :, rows] = by_lead
            uncalibrated[rows] = self._uncalibrated(block)
            distrust[rows] = block.trust.distrust()
            shifted = block.shifted()
            shifted_ms[rows] = np.where(shifted < 0, 0, (shifted + self._skipped) * self.grid.beat_ms)
        return Forecast(values, uncalibrated, distrust, shifted_ms)

    def _uncalibrated(self, block: Block) -> NDArray[np.uint32]:
        """A lead that the grid has not is made of the next longer one."""
        needed = _errors_needed()
        next_longer = np.searchsorted(self.grid.leads, np.arange(L))
        missing = block.errors_known()[next_longer, None] < needed[:, None]
        bits = (np.uint32(1) << np.arange(L * len(needed), dtype=np.uint32)).reshape(L, len(needed), 1)
        return np.asarray((missing * bits).sum(axis=(0, 1)), dtype=np.uint32)


def beat_of(time_ms: int, beat_ms: int = BEAT_MS) -> int:
    """The beat that contains the minute which ends at `time_ms`; its own end is `(beat + 1) * beat_ms`."""
    return (time_ms - 1) // beat_ms


def _nothing(series: int) -> Bin:
    gap = np.full(series, np.nan, dtype=np.float32)
    return Bin(gap, gap, gap)


def _errors_needed() -> NDArray[np.int64]:
    """Errors from which on a quantile has a rank of its own: the least n with ceil((n + 1) q) <= n; last those that
    a quantile above the grid's needs."""
    return np.array([*(int(np.ceil(q / (1 - q) - 1e-9)) for q in QUANTILES), ERRORS_BEYOND])
