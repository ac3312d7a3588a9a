"""The engine with its feed: minutes in, forecasts out, and its memory kept across restarts."""

import logging
from collections import deque
from collections.abc import Callable
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
from predictor.prior import prior_batch, start_from_log

log = logging.getLogger("tidecast.predictor")

HISTORY_MS = 28 * DAY_MS
SEASONS_MS = 15 * DAY_MS
"""As far back as the engine's seasons look."""
CHECKPOINT_BEATS = 12
STEPPED_BEATS = 72
"""Of a start without a checkpoint: so many of the newest beats are learned at once, the rest off the beat."""
RELEARNED_AT_ONCE = 50
"""Minutes read together by the second engine."""
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


class Relearning:
    """The past learned anew by an engine of its own, one minute a turn."""

    def __init__(self, log_: Log, since_ms: int) -> None:
        self.feed, self._log, self._since_ms = Feed(), log_, since_ms
        start_from_log(log_, self.feed.engine.pool)
        self._position = log_.position_at(["minutes"], since_ms)
        self._minutes: deque[Batch] = deque()

    def turn(self) -> bool:
        """Learn one minute more; returns whether the log's end is reached.

        Raises LogFailed; the next turn goes on where this one stopped.
        """
        if not self._minutes:
            chunk = self._log.read(["minutes"], self._position, RELEARNED_AT_ONCE)
            self._minutes, self._position = deque(chunk.batches), chunk.position
        if not self._minutes:
            return True
        self.feed.learn(self._minutes.popleft())
        return False

    def share(self, newest_ms: int) -> float:
        """Of the time up to `newest_ms` that has been learned."""
        return max(0, self.feed.newest_ms - self._since_ms) / max(1, newest_ms - self._since_ms)


class Learner:
    """Feeds the engine and keeps its checkpoint.

    Without a checkpoint the past is taken in twice: first its seasons only, so that there are forecasts within
    seconds, then all of it by a second engine that learns a little at a time and takes over when it has caught up.
    """

    def __init__(self, telemetry: PredictorTelemetry, folder: Path) -> None:
        self._feed, self._telemetry = Feed(telemetry.step_seconds.time), telemetry
        self._checkpoint = folder / "engine.state"
        self._relearning: Relearning | None = None
        self._shifted_ms: NDArray[np.int64] | None = None  # as counted last
        self._whole = False  # whether the engine has learned all of its past, and not its seasons only

    @property
    def newest_ms(self) -> int:
        """The end of the newest minute taken in."""
        return self._feed.newest_ms

    def restore(self, log_: Log, now_ms: int, progress: Progress) -> Position:
        """Load the checkpoint, take in the minutes since; returns the position behind them. Raises LogFailed."""
        self._load()
        if self._feed.engine.beat < 0:
            start_from_log(log_, self._feed.engine.pool)
        oldest = now_ms - (HISTORY_MS if self._whole else SEASONS_MS)
        # The minutes of the newest beat once more: the next forecast starts from the last of them.
        since = max(oldest, self._feed.engine.beat * BEAT_MS + 1)
        stepped = since if self._whole else max(since, now_ms - STEPPED_BEATS * BEAT_MS)
        position = self._catch_up(log_, since, now_ms, stepped, progress)
        if not self._whole and self._feed.engine.beat >= 0:
            self._relearning = Relearning(log_, now_ms - HISTORY_MS)
        self._whole = self._relearning is None
        self._telemetry.learned.set(self._whole)
        return position

    def relearn(self, until: Callable[[], bool]) -> None:
        """Go on learning the past until `until` says that it is enough for now. Raises LogFailed."""
        while self._relearning is not None and not until():
            if self._relearning.turn():
                self._feed, self._relearning, self._whole = self._relearning.feed, None, True
                self._shifted_ms = None
                self.save()
        if self._relearning is not None:
            self._telemetry.learned.set(self._relearning.share(self.newest_ms))
        else:
            self._telemetry.learned.set(1)

    def learn(self, minute: Batch) -> bool:
        """Take in a record of `minutes`; returns whether a beat closed."""
        closed = self._feed.learn(minute)
        self._telemetry.series.set(self._feed.engine.series)
        return closed

    def prior(self) -> list[Batch]:
        """What engines without a memory may start from; nothing while the past is still being learned."""
        pool = self._feed.engine.pool
        return [prior_batch(self.newest_ms, pool)] if self._whole and pool.mature else []

    def checkpoint_due(self) -> bool:
        return self._feed.engine.beat % CHECKPOINT_BEATS == 0

    def forecast(self) -> tuple[NDArray[np.uint64], Forecast]:
        """Ids and forecasts of all series, from the newest minute."""
        forecast = self._feed.forecast()
        self._count_shifts(forecast)
        return np.array(list(self._feed.engine.ids), dtype=np.uint64), forecast

    def _count_shifts(self, forecast: Forecast) -> None:
        """Those since the last forecast; what the past holds is not counted again."""
        if self._shifted_ms is not None:
            new = forecast.shifted_ms.copy()
            new[: len(self._shifted_ms)] -= self._shifted_ms
            self._telemetry.shifts.inc(int((new != 0).sum()))
        self._shifted_ms = forecast.shifted_ms

    def save(self) -> None:
        """Write the checkpoint; a full disk costs the next start some time, nothing else."""
        if self._feed.engine.beat < 0:
            return
        try:
            checkpoint.save(self._checkpoint, self._feed.engine.save() | {"whole": np.array(self._whole)})
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

    def _load(self) -> None:
        """Take over the checkpoint, if there is one that can be."""
        saved = checkpoint.load(self._checkpoint)
        if saved is None:
            return
        try:
            self._feed.engine.load(saved)
            self._whole = bool(saved["whole"])
        except (ValueError, KeyError) as error:
            log.warning("%s: %s; the engine learns from the minutes again", self._checkpoint, error)
            self._feed = Feed(self._telemetry.step_seconds.time)
        else:
            self._feed.beats.beat = self._feed.engine.beat - 1
