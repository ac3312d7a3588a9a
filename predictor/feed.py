"""An engine and the open beat that its minutes go to."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from predictor.arrays import Floats
from predictor.beats import Beats, widened
from predictor.between import from_now
from predictor.calendar import Calendar
from predictor.engine import Engine, Forecast
from predictor.grid import BEAT_MS, Grid
from predictor.pool import Pool
from predictor.presets import Preset
from predictor.trust.record import FIGURES, Day

Timed = Callable[[], AbstractContextManager[object]]


class Feed:
    """Minutes in, learned beats, forecasts out; all of one beat length."""

    def __init__(self, beat_ms: int, pool: Pool, preset: Preset, timed: Timed) -> None:
        """`timed` is entered for each step of the engine."""
        self.engine, self._timed = Engine(Grid(beat_ms), pool, preset), timed
        self.beats = Beats(self.engine.rows, beat_ms)

    @property
    def beat_ms(self) -> int:
        return self.engine.grid.beat_ms

    @property
    def open_since_ms(self) -> int:
        """From where on minutes make the newest beat again."""
        return self.engine.beat * self.beat_ms

    def learn(self, minute: Batch) -> bool:
        """Take in a record of `minutes`; returns whether a beat closed."""
        closed = [one for one in self.beats.add(minute) if one.beat > self.engine.beat]
        for one in closed:
            with self._timed():
                self.engine.step(one.beat, widened(one.seen, self.engine.series))
        return bool(closed)

    def prime(self, minute: Batch, seasons: bool) -> None:
        """Take in a record without learning from it."""
        for one in self.beats.add(minute):
            self.engine.prime(one.beat, widened(one.seen, self.engine.series), seasons=seasons)

    def forecast(self, rows: NDArray[np.intp], newest: Floats, now_ms: int) -> Forecast:
        """Of the engine's `rows`, whose newest values are given, from `now_ms` on."""
        last = np.full(self.engine.series, np.nan, dtype=np.float32)
        last[rows] = newest
        # A series that has no value in the newest beat yet has been at its newest value at least.
        largest = np.fmax(self.beats.largest(self.engine.series), last)
        made = self.engine.forecast(last, largest)
        values = made.values[..., rows]
        if self.beat_ms > BEAT_MS:
            elapsed = max(0, now_ms - (self.engine.beat + 1) * self.beat_ms)
            values = from_now(values, self.engine.grid.leads, newest, elapsed)
        return Forecast(values, made.uncalibrated[rows], made.distrust[rows], made.shifted_ms[rows])

    def compared(self, rows: NDArray[np.intp]) -> tuple[Day, NDArray[np.uint32]]:
        """What became of the last day's forecasts of the engine's `rows`, and whom that leaves in distrust."""
        day, distrust = self.engine.compared()
        return Day(*(getattr(day, figure)[:, rows] for figure in FIGURES)), distrust[rows]

    def load(self, saved: Mapping[str, NDArray[np.generic]]) -> None:
        """Take over an engine's memory. Raises ValueError or KeyError when it does not fit."""
        self.engine.load(saved)
        self.beats.beat = self.engine.beat - 1

    def follow(self, calendars: Mapping[int, Calendar]) -> None:
        self.engine.follow(calendars)
