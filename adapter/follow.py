"""Keeps the view at the log's end."""

import asyncio
import logging
from collections.abc import Callable

from adapter.view import View
from cme.log.protocol import Log, LogFailed, LogReplaced, Position

log = logging.getLogger("tidecast.adapter")

TOPICS = (
    "policies",
    "replicas",
    "samples",
    "minutes",
    "hours",
    "forecasts",
    "decisions",
    "decompositions",
    "trust",
)
CHUNK = 500
"""Batches per read: the event loop answers requests between two of them."""


class Follower:
    """Reads in a thread, takes in between two requests."""

    def __init__(
        self, log_: Log, view: View, version: Callable[[int], int], on_damage: Callable[[], None]
    ) -> None:
        """`version` is given the number that it said last, and may wait for another one: there may be something new then. It
        is asked before each read."""
        self._log, self._view, self._version, self._on_damage = log_, view, version, on_damage
        self._position: Position | None = None
        self._seen = -1

    async def turn(self) -> None:
        """Read to the end if anything changed. Raises LogFailed; the next turn goes on where this one stopped."""
        version = await asyncio.to_thread(self._version, self._seen)
        if version == self._seen:
            return
        if self._position is None:
            self._position = await asyncio.to_thread(self._start)
        while True:
            chunk = await asyncio.to_thread(self._log.read, TOPICS, self._position, CHUNK)
            self._position = chunk.position
            for damage in chunk.damages:
                log.error("%s", damage)
                self._on_damage()
            if not chunk.batches:
                break
            self._view.take(list(chunk.batches))
        self._seen, self._view.ready = version, True

    def _start(self) -> Position:
        since = self._view.positions_since(self._view.clock.now_ms())
        return {
            topic: seq
            for name, time_ms in since.items()
            for topic, seq in self._log.position_at([name], time_ms).items()
        }


class Tolerant:
    """Turns of a follower whose log may go away and come back: each cause is said once, and so is the return."""

    def __init__(self, follower: Follower, on_fault: Callable[[], None]) -> None:
        self._follower, self._on_fault = follower, on_fault
        self._told: set[str] = set()
        self.replaced = asyncio.Event()
        """Set when the log is another one: all that the view holds is of a log that is gone."""

    async def turn(self) -> None:
        """What is held goes on being served, as long as it is fresh."""
        try:
            await self._follower.turn()
        except LogReplaced as error:
            log.error("%s: this adapter ends, to be started anew", error)
            self.replaced.set()
        except LogFailed as error:
            self._on_fault()
            if str(error) not in self._told:  # a refused certificate is told in two ways that take turns
                log.error("%s; what is held is served while it is fresh", error)
            self._told.add(str(error))
        else:
            if self._told:
                log.info("the log is read again")
            self._told.clear()
