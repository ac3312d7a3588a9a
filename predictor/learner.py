"""The engine with its feed: minutes in, forecasts out, and its memory kept across restarts."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.durations import DAY_MS, MINUTE_MS
from cme.log.protocol import Log, Position
from cme.runtime.telemetry import PredictorTelemetry
from predictor import checkpoint
from predictor.beats import Beats, widened
from predictor.engine import Engine, Forecast
from predictor.grid import BEAT_MS

log = logging.getLogger("tidecast.predictor")

HISTORY_MS = 28 * DAY_MS
SEASONS_MS = 15 * DAY_MS
"""As far back as the engine's seasons look."""
CHECKPOINT_BEATS = 12
STEPPED_BEATS = 72
"""Of a start without a checkpoint: so many of the newest beats are learned at once, the rest off the beat."""
Progress = Callable[[int, int], None]
"""Called with (minutes taken in, minutes to take in) while a start catches up."""


class Feed:
    """An engine and the open beat that its minutes go to."""

    def __init__(self, timed: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        """`timed` is entered for each step of the engine."""
        self.engine, self.newest_ms, self._timed = Engine(), 0, timed
        self.beats = Beats(self.engine.rows)

    def learn(self, minute: Batch) -> bool:
        """Take in a record of `minutes`; returns whether a beat closed."""
        self.newest_ms = max(self.newest_ms, minute.time_ms)
        closed = [one for one in self.beats.add(minute) if one.beat > self.engine.beat]
        for one in closed:
            with self._timed():
                self.engine.step(one.beat, widened(one.seen, self.engine.series))
        return bool(closed)

    def prime(self, minute: Batch, seasons: bool) -> None:
        """Take in a record without learning from it."""
        self.newest_ms = max(self.newest_ms, minute.time_ms)
        for one in self.beats.add(minute):
            self.engine.prime(one.beat, widened(one.seen, self.engine.series), seasons=seasons)

    def forecast(self) -> Forecast:
        return self.engine.forecast(*self.beats.newest(self.engine.series))


class Learner:
    """Feeds the engine and keeps its checkpoint.

    Without a checkpoint the past is taken in twice: first its seasons only, so that there are forecasts within
    seconds, then all of it by a second engine that learns a little at a time and takes over when it has caught up.
    """

    def __init__(self, telemetry: PredictorTelemetry, folder: Path) -> None:
        self._feed, self._telemetry = Feed(telemetry.step_seconds.time), telemetry
        self._checkpoint = folder / "engine.state"
        self._relearning: Iterator[Feed | None] | None = None

    @property
    def newest_ms(self) -> int:
        """The end of the newest minute taken in."""
        return self._feed.newest_ms

    def restore(self, log_: Log, now_ms: int, progress: Progress) -> Position:
        """Load the checkpoint, learn the minutes since; returns the position behind them. Raises LogFailed."""
        if self._load():
            # The minutes of the newest beat once more: the next forecast starts from the last of them.
            since = max(now_ms - HISTORY_MS, self._feed.engine.beat * BEAT_MS + 1)
            return self._catch_up(log_, since, now_ms, since, progress)
        position = self._catch_up(
            log_, now_ms - SEASONS_MS, now_ms, now_ms - STEPPED_BEATS * BEAT_MS, progress
        )
        if self._feed.engine.beat >= 0:
            self._relearning = self._relearn(log_, now_ms - HISTORY_MS)
            self._telemetry.learned.set(0)
        return position

    def relearn(self, until: Callable[[], bool]) -> None:
        """Go on learning the past until `until` says that it is enough for now. Raises LogFailed."""
        while self._relearning is not None and not until():
            caught_up = next(self._relearning)
            if caught_up is not None:
                self._feed, self._relearning = caught_up, None
                self._telemetry.learned.set(1)
                self.save()

    def learn(self, minute: Batch) -> bool:
        """Take in a record of `minutes`; returns whether a beat closed."""
        closed = self._feed.learn(minute)
        self._telemetry.series.set(self._feed.engine.series)
        return closed

    def checkpoint_due(self) -> bool:
        return self._feed.engine.beat % CHECKPOINT_BEATS == 0

    def forecast(self) -> tuple[NDArray[np.uint64], Forecast]:
        """Ids and forecasts of all series, from the newest minute."""
        return np.array(list(self._feed.engine.ids), dtype=np.uint64), self._feed.forecast()

    def save(self) -> None:
        """Write the checkpoint; a full disk costs the next start some time, nothing else.

        One that still learns its past has nothing to keep: the next start would not know what is missing.
        """
        if self._relearning is not None or self._feed.engine.beat < 0:
            return
        try:
            checkpoint.save(self._checkpoint, self._feed.engine.save())
        except OSError as error:
            log.warning("can't write %s: %s; the next start learns from the minutes", self._checkpoint, error)

    def _catch_up(self, log_: Log, since: int, now_ms: int, stepped: int, progress: Progress) -> Position:
        """Take in the minutes from `since` on, learning from those behind `stepped`."""
        position, total = log_.position_at(["minutes"], since), max(1, (now_ms - since) // MINUTE_MS)
        while (chunk := log_.read(["minutes"], position, 500)).batches:
            for minute in chunk.batches:
                if minute.time_ms > stepped:
                    self._feed.learn(minute)
                else:
                    self._feed.prime(minute, seasons=minute.time_ms > stepped - 2 * STEPPED_BEATS * BEAT_MS)
            position = chunk.position
            progress(max(0, min(total, (self.newest_ms - since) // MINUTE_MS)), total)
        progress(total, total)
        self._telemetry.series.set(self._feed.engine.series)
        return position

    def _relearn(self, log_: Log, since: int) -> Iterator[Feed | None]:
        """Learn all minutes from `since` on with a second engine, one record a turn; at last that engine."""
        feed, position = Feed(), log_.position_at(["minutes"], since)
        while (chunk := log_.read(["minutes"], position, 50)).batches:
            position = chunk.position
            for minute in chunk.batches:
                feed.learn(minute)
                self._telemetry.learned.set((feed.newest_ms - since) / max(1, self.newest_ms - since))
                yield None
        yield feed

    def _load(self) -> bool:
        """Whether there was a checkpoint to go on from."""
        saved = checkpoint.load(self._checkpoint)
        if saved is None:
            return False
        try:
            self._feed.engine.load(saved)
        except (ValueError, KeyError) as error:
            log.warning("%s: %s; the engine learns from the minutes again", self._checkpoint, error)
            self._feed = Feed(self._telemetry.step_seconds.time)
            return False
        self._feed.beats.beat = self._feed.engine.beat - 1
        return True
