"""The engines with their feeds: minutes in, forecasts out, and their memory kept across restarts."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.clock import SET_BACK_MS
from cme.core.durations import DAY_MS, MINUTE_MS
from cme.core.progress import Progress, silent
from cme.log.protocol import Log, Position
from cme.runtime.telemetry import PredictorTelemetry
from predictor import checkpoint
from predictor.calendar import Calendar
from predictor.engine import Forecast
from predictor.fleet import Fleet
from predictor.grid import BEAT_MS
from predictor.presets import BEST, Preset
from predictor.prior import prior_batch, start_from_log
from predictor.relearning import Relearning
from predictor.trust.record import Day

log = logging.getLogger("tidecast.predictor")

HISTORY_MS = 21 * DAY_MS
"""Half more than the regressions remember; of 28 days the loss is .4 % less, and learning takes a third longer."""
SEASONS_MS = 8 * DAY_MS
"""As far back as a start without a checkpoint looks at first: the days and the newest week of the seasons."""
CHECKPOINT_BEATS = 12
STEPPED_BEATS = 72
"""Of a start without a checkpoint: so many of the newest beats are learned at once, the rest off the beat."""


class Learner:
    """Feeds the engine and keeps its checkpoint.

    Without a checkpoint the past is taken in twice: first its seasons only, so that there are forecasts within
    seconds, then all of it by a second engine that learns a little at a time and takes over when it has caught up.
    """

    def __init__(self, telemetry: PredictorTelemetry, folder: Path, preset: Preset = BEST) -> None:
        self._telemetry, self._preset = telemetry, preset
        self._fleet = Fleet(preset, telemetry.step_seconds.time)
        self._checkpoint = folder / "engine.state"
        self._calendars: Mapping[int, Calendar] = {}
        self._relearning: Relearning | None = None
        self._log: Log | None = None
        self._shifted_ms: NDArray[np.int64] | None = None  # as counted last
        self._whole = False  # whether the engine has learned all of its past, and not its seasons only

    @property
    def fleet(self) -> Fleet:
        """The engines that serve."""
        return self._fleet

    @property
    def newest_ms(self) -> int:
        """The end of the newest minute taken in."""
        return self._fleet.newest_ms

    def follow(self, calendars: Mapping[int, Calendar]) -> None:
        """From now on the days of these series are local ones."""
        self._calendars = calendars
        for fleet in [self._fleet, *([self._relearning.fleet] if self._relearning else [])]:
            fleet.follow(calendars)

    def restore(self, log_: Log, now_ms: int, progress: Progress) -> Position:
        """Load the checkpoint, take in the minutes since; returns the position behind them. Raises LogFailed."""
        self._load()
        if self._fleet.open_since_ms > now_ms + SET_BACK_MS:
            log.warning("%s is of a time to come; the engine learns from the minutes again", self._checkpoint)
            self._forget()
        self._log = log_
        return self._take_in(log_, now_ms, progress)

    def _take_in(self, log_: Log, now_ms: int, progress: Progress) -> Position:
        """Learn what the log has up to `now_ms`, all at once or in two turns."""
        if self._fleet.beat < 0:
            start_from_log(log_, self._fleet.pool)
        oldest = now_ms - (HISTORY_MS if self._whole else SEASONS_MS)
        # The minutes of the newest beat once more: the next forecast starts from the last of them.
        since = max(oldest, self._fleet.open_since_ms + 1)
        stepped = since if self._whole else max(since, now_ms - STEPPED_BEATS * BEAT_MS)
        position = self._catch_up(log_, since, now_ms, stepped, progress)
        if not self._whole and self._fleet.beat >= 0:
            self._relearning = Relearning(log_, now_ms - HISTORY_MS, self._calendars, self._preset)
        self._whole = self._relearning is None
        self._telemetry.learned.set(self._whole)
        return position

    def relearn(self, until: Callable[[], bool]) -> None:
        """Go on learning the past until `until` says that it is enough for now. Raises LogFailed."""
        while self._relearning is not None and not until():
            if self._relearning.turn(self.newest_ms):
                self._fleet, self._relearning, self._whole = self._relearning.fleet, None, True
                self._shifted_ms = None
                self.save()
        if self._relearning is not None:
            self._telemetry.learned.set(self._relearning.share(self.newest_ms))
        else:
            self._telemetry.learned.set(1)

    def learn(self, minute: Batch) -> bool:
        """Take in a record of `minutes`; returns whether a beat closed.

        After the clock was set back by more than an hour all is learned anew, up to this minute. Raises LogFailed.
        """
        if self._log and minute.time_ms < self.newest_ms - SET_BACK_MS:
            log.warning("the clock was set back; the engine learns from the minutes up to now again")
            self._forget()
            self._take_in(self._log, minute.time_ms, silent)
        closed = self._fleet.learn(minute)
        self._telemetry.series.set(self._fleet.series)
        return closed

    def prior(self) -> list[Batch]:
        """What engines without a memory may start from; nothing while the past is still being learned."""
        pool = self._fleet.pool
        return [prior_batch(self.newest_ms, pool)] if self._whole and pool.mature else []

    def checkpoint_due(self) -> bool:
        return self._fleet.beat % CHECKPOINT_BEATS == 0

    def forecast(self) -> tuple[NDArray[np.uint64], Forecast]:
        """Ids and forecasts of all series, from the newest minute."""
        ids, forecast = self._fleet.forecast()
        self._count_shifts(forecast)
        return ids, forecast

    def _count_shifts(self, forecast: Forecast) -> None:
        """Those since the last forecast; what the past holds is not counted again."""
        if self._shifted_ms is not None:
            new = forecast.shifted_ms.copy()
            new[: len(self._shifted_ms)] -= self._shifted_ms
            self._telemetry.shifts.inc(int((new != 0).sum()))
        self._shifted_ms = forecast.shifted_ms

    def compared(self) -> tuple[Day, NDArray[np.uint32]]:
        """What became of the last day's forecasts of all series, and whom that leaves in distrust."""
        return self._fleet.compared()

    def save(self) -> None:
        """Write the checkpoint; a full disk costs the next start some time, nothing else."""
        if self._fleet.beat < 0:
            return
        saved = self._fleet.save() | {"whole": np.array(self._whole)}
        checkpoint.keep(self._checkpoint, saved, "the next start learns from the minutes")

    def _catch_up(self, log_: Log, since: int, now_ms: int, stepped: int, progress: Progress) -> Position:
        """Take in the minutes from `since` on, learning from those behind `stepped`."""
        position, total = log_.position_at(["minutes"], since), max(1, (now_ms - since) // MINUTE_MS)
        while (chunk := log_.read(["minutes"], position, 500)).batches:
            for minute in chunk.batches:
                if minute.time_ms > now_ms:  # written by a clock that was set back since
                    continue
                if minute.time_ms > stepped:
                    self._fleet.learn(minute)
                else:
                    self._fleet.prime(minute, seasons=minute.time_ms > stepped - 2 * STEPPED_BEATS * BEAT_MS)
            position = chunk.position
            progress(max(0, min(total, (self.newest_ms - since) // MINUTE_MS)), total)
        progress(total, total)
        self._telemetry.series.set(self._fleet.series)
        return position

    def _load(self) -> None:
        """Take over the checkpoint, if there is one that can be."""
        saved = checkpoint.load(self._checkpoint)
        if saved is None:
            return
        try:
            self._fleet.load(saved)
            self._whole = bool(saved["whole"])
        except (ValueError, KeyError) as error:
            log.warning("%s: %s; the engine learns from the minutes again", self._checkpoint, error)
            self._forget()

    def _forget(self) -> None:
        self._fleet = Fleet(self._preset, self._telemetry.step_seconds.time)
        self._whole, self._relearning, self._shifted_ms = False, None, None
        self._fleet.follow(self._calendars)
