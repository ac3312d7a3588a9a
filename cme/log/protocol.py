"""What every implementation of the log promises; tests/contract/test_log.py holds them to it.

All calls block; an asyncio process makes them from a thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cme.core.batch import Batch
from cme.core.errors import TidecastError

Position = Mapping[str, int]
"""Where a reader is: opaque to it, but storable as JSON. A topic that is absent is read from its beginning."""

CHUNK_BYTES = 16 << 20
"""A chunk ends with the record that goes beyond this: what a reader holds at once does not grow with the fleet."""

MAX_RECORD_BYTES = 900_000
"""Larger batches are split by rows, so that a record fits into what a Kafka broker accepts by default."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A record that could not be read, with what is known of it. It was skipped; all others are intact."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Batches in the order of their appending, and the position behind the last of them."""

    batches: Sequence[Batch]
    position: Position
    damages: Sequence[Damage] = field(default=())


class Log(Protocol):
    """One writer, any number of readers."""

    def append(self, batches: Sequence[Batch]) -> Position:
        """Store all batches or none; on return they survive a loss of power. Returns the position behind them.

        Raises LogFailed when they can't be stored; the caller keeps them.
        """

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        """At most `limit` batches, and about CHUNK_BYTES, of the topics behind a position. An empty chunk means: nothing new."""

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        """The position from which `read` returns every batch whose time is at or after `time_ms`."""

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        """Of a compacted topic the kept batches, newest last: of one key, or of all."""

    def newest_at(self, topic: str, key: str, time_ms: int) -> Batch | None:
        """The last of a key's batches whose time is not after `time_ms`, as far back as the topic is kept."""

    def retain(self, now_ms: int) -> int:
        """Remove what each topic's retention no longer keeps; returns how many batches went."""

    def close(self) -> None:
        """Release the lock and all files. A second call does nothing."""


class LogFailed(TidecastError):
    """The log could not store or open; its text says why and what to do."""


class LogLocked(LogFailed):
    """Another process writes this log; the text names it."""


class LogFenced(LogFailed):
    """Another process has taken over writing this log, and what was to be written is not. Let it write."""


class LogReplaced(LogFailed):
    """What is followed is another log than before: no position in the one means anything in the other. Start anew."""
