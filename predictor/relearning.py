"""The past learned a second time, as a whole and beside what serves."""

from collections import deque
from collections.abc import Mapping

from cme.core.batch import Batch
from cme.log.protocol import Log
from predictor.calendar import Calendar
from predictor.fleet import Fleet
from predictor.presets import Preset
from predictor.prior import start_from_log

AT_ONCE = 50
"""Minutes read together."""


class Relearning:
    """The past learned anew by engines of its own, one minute a turn."""

    def __init__(self, log_: Log, since_ms: int, calendars: Mapping[int, Calendar], preset: Preset) -> None:
        self.fleet, self._log, self._since_ms = Fleet(preset), log_, since_ms
        self.fleet.follow(calendars)
        start_from_log(log_, self.fleet.pool)
        self._position = log_.position_at(["minutes"], since_ms)
        self._minutes: deque[Batch] = deque()

    def turn(self, newest_ms: int) -> bool:
        """Learn one minute more; returns whether the log's end is reached.

        What is later than `newest_ms` was written by a clock that was set back since, and left out. Raises
        LogFailed; the next turn goes on where this one stopped.
        """
        if not self._minutes:
            chunk = self._log.read(["minutes"], self._position, AT_ONCE)
            self._minutes, self._position = deque(chunk.batches), chunk.position
        if not self._minutes:
            return True
        minute = self._minutes.popleft()
        if minute.time_ms <= newest_ms:
            self.fleet.learn(minute)
        return False

    def share(self, newest_ms: int) -> float:
        """Of the time up to `newest_ms` that has been learned."""
        return max(0, self.fleet.newest_ms - self._since_ms) / max(1, newest_ms - self._since_ms)
