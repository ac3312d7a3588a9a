"""The engine with its feed: minutes in, forecasts out, and its memory kept across restarts."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cme.core.batch import Batch
from cme.core.durations import DAY_MS, MINUTE_MS
from cme.log.protocol import Log, Position
from cme.runtime.telemetry import PredictorTelemetry
from predictor import checkpoint
from predictor.beats import Beats, as_row
from predictor.engine import Engine, Forecast
from predictor.grid import BEAT_MS

log = logging.getLogger("tidecast.predictor")

HISTORY_MS = 28 * DAY_MS
CHECKPOINT_BEATS = 6
Progress = Callable[[int, int], None]
"""Called with (minutes learnt, minutes to learn) while a start catches up."""


class Learner:
    """Feeds the engine and keeps its checkpoint."""

    def __init__(self, telemetry: PredictorTelemetry, folder: Path) -> None:
        self.engine, self.newest_ms = Engine(), 0
        self._beats, self._telemetry = Beats(), telemetry
        self._checkpoint = folder / "engine.state"

    def restore(self, log_: Log, now_ms: int, progress: Progress) -> Position:
        """Load the checkpoint, learn the minutes since; returns the position behind them. Raises LogFailed."""
        self._load()
        # The minutes of the newest beat once more: the next forecast starts from the last of them.
        since = max(now_ms - HISTORY_MS, self.engine.beat * BEAT_MS + 1)
        position = log_.position_at(["minutes"], since)
        total = max(1, (now_ms - since) // MINUTE_MS)
        while (chunk := log_.read(["minutes"], position, 500)).batches:
            for minute in chunk.batches:
                self.learn(minute)
            position = chunk.position
            progress(max(0, min(total, (self.newest_ms - since) // MINUTE_MS)), total)
        if self.engine.beat >= 0:
            self.save()
        progress(total, total)
        return position

    def learn(self, minute: Batch) -> bool:
        """Take in a record of `minutes`; returns whether a beat closed."""
        self.newest_ms = max(self.newest_ms, minute.time_ms)
        closed = [beat for beat in self._beats.add(minute) if beat.beat > self.engine.beat]
        for beat in closed:
            self.engine.rows(list(beat.last))
            ids, series = self.engine.ids, self.engine.arrays.series
            with self._telemetry.step_seconds.time():
                self.engine.step(beat.beat, as_row(beat.last, ids, series), as_row(beat.largest, ids, series))
        self._telemetry.series.set(self.engine.arrays.series)
        return bool(closed)

    def checkpoint_due(self) -> bool:
        return self.engine.beat % CHECKPOINT_BEATS == 0

    def forecast(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], Forecast]:
        """Ids and forecasts of all series, from the newest minute."""
        last, largest = self._beats.newest()
        ids, series = self.engine.ids, self.engine.arrays.series
        forecast = self.engine.forecast(as_row(last, ids, series), as_row(largest, ids, series))
        return np.array(list(ids), dtype=np.uint64), forecast

    def save(self) -> None:
        """Write the checkpoint; a full disk costs the next start some time, nothing else."""
        try:
            checkpoint.save(self._checkpoint, self.engine.save())
        except OSError as error:
            log.warning("can't write %s: %s; the next start learns from the minutes", self._checkpoint, error)

    def _load(self) -> None:
        saved = checkpoint.load(self._checkpoint)
        if saved is None:
            return
        try:
            self.engine.load(saved)
            self._beats.beat = self.engine.beat - 1
        except (ValueError, KeyError) as error:
            log.warning("%s: %s; the engine learns from the minutes again", self._checkpoint, error)
            self.engine = Engine()
