"""A log whose writer goes on while the log can't be reached: what it refuses waits on the disk, and is delivered in order."""

import logging
import threading
from collections.abc import Sequence

from cme.core.batch import Batch
from cme.log.protocol import Chunk, Log, LogFailed, LogFenced, Position
from cme.log.spool import Spool

log = logging.getLogger("tidecast.log")


class Outbox:
    """What it reads is the log's alone. Safe to call from several threads."""

    def __init__(self, log_: Log, spool: Spool) -> None:
        """Raises LogFailed when the disk can't be read."""
        self._log, self._spool = log_, spool
        # Held while the spool is looked at or changed, never while the log is asked.
        self._turn = threading.Lock()
        self._behind = spool.first() is not None  # whether something may wait; also of an earlier run
        self._told = ""

    def append(self, batches: Sequence[Batch]) -> Position:
        """See `Log.append`; an empty position says that they wait on the disk. Raises LogFenced, and LogFailed when the disk
        can't take them either."""
        if not self._behind:
            try:
                return self._log.append(batches)
            except LogFenced:
                raise
            except LogFailed as error:
                self._tell(error)
        with self._turn:
            self._spool.put(batches)
            self._behind = True
        return {}

    def deliver(self) -> bool:
        """What waits, oldest first, until nothing does or the log refuses; returns whether nothing does. What the log took just
        before it failed may be delivered twice, which means nothing more. Raises LogFenced, and LogFailed when the disk can't be
        read."""
        while self._behind:
            with self._turn:
                waiting = self._spool.first()
                self._behind = waiting is not None
            if waiting is None:
                break
            file, batches = waiting
            try:
                self._log.append(batches)
            except LogFenced:
                raise
            except LogFailed as error:
                self._tell(error)
                return False
            with self._turn:
                self._spool.forget(file)
        if self._told:
            log.info("what waited on the disk is in the log")
        self._told = ""
        return True

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        """See `Log.read`."""
        return self._log.read(topics, after, limit)

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        """See `Log.position_at`."""
        return self._log.position_at(topics, time_ms)

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        """See `Log.newest`."""
        return self._log.newest(topic, key)

    def newest_at(self, topic: str, key: str, time_ms: int) -> Batch | None:
        """See `Log.newest_at`."""
        return self._log.newest_at(topic, key, time_ms)

    def retain(self, now_ms: int) -> int:
        """See `Log.retain`."""
        return self._log.retain(now_ms)

    def close(self) -> None:
        """See `Log.close`; what waits is delivered by the next that is opened here."""
        self._log.close()

    def _tell(self, error: LogFailed) -> None:
        if self._told != str(error):
            log.error("%s; what is to be written waits on the disk", error)
        self._told = str(error)
