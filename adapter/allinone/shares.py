"""The partitions of a role that are this process', each worked on for as long as it is."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from cme.core.clock import Clock
from cme.core.errors import TidecastError
from cme.log.protocol import LogFailed
from cme.runtime.tasks import stop
from cme.runtime.telemetry import RoleTelemetry

log = logging.getLogger("tidecast.shares")

RETRY_MS = 1_000


class Members(Protocol):
    """`cme.log.kafka.membership.Membership`."""

    def look(self) -> frozenset[int] | None:
        """The partitions that are ours now; None until that has been agreed. Takes its time, and is to be called again without a
        pause. Raises LogFailed."""

    def close(self) -> None:
        """Leave them to others. Raises LogFailed."""


Loops = Sequence[Coroutine[Any, Any, None]]
"""What works on a partition until it is cancelled."""

Begin = Callable[[int], contextlib.AbstractAsyncContextManager[Loops]]
"""Opens the log of a partition and what works on it. Raises LogFailed."""


class Shares:
    """A work that ends with an error begins anew at the next look, if the partition is ours still."""

    def __init__(
        self, role: str, members: Members, begin: Begin, clock: Clock, telemetry: RoleTelemetry
    ) -> None:
        self._members, self._begin, self._clock = members, begin, clock
        self._role, self._telemetry = role, telemetry
        self._running: dict[int, asyncio.Task[None]] = {}
        self._leaving: set[int] = set()  # of those that run
        self._told = ""
        self.agreed = False
        """Whether it has been said once which partitions are ours."""

    async def run(self) -> None:
        """Until it is cancelled; then all work is closed, and its partitions are left to others."""
        try:
            while True:
                await self._turn()
        finally:
            await stop(*self._running.values())
            with contextlib.suppress(LogFailed):
                await asyncio.to_thread(self._members.close)

    async def _turn(self) -> None:
        for partition in [one for one, task in self._running.items() if task.done()]:
            del self._running[partition]
            self._leaving.discard(partition)
        ours = await self._look()
        if ours is None:
            return
        for partition in self._running.keys() - ours - self._leaving:
            self._running[partition].cancel()  # and not waited for: the others wait for our next look
            self._leaving.add(partition)
        for partition in sorted(ours - self._running.keys()):
            self._running[partition] = asyncio.create_task(self._work(partition))
        self._telemetry.partitions.labels(self._role).set(len(self._running))

    async def _look(self) -> frozenset[int] | None:
        """None while the members have not agreed: what was ours is worked on, and the brokers refuse it if it is another's."""
        try:
            ours = await asyncio.to_thread(self._members.look)
        except LogFailed as error:
            self._telemetry.faults.labels(self._role).inc()
            if self._told != str(error):
                log.error("%s", error)
            self._told = str(error)
            await self._clock.sleep_until(self._clock.monotonic_ms() + RETRY_MS)
            return None
        self._told = ""
        self.agreed |= ours is not None
        return ours

    async def _work(self, partition: int) -> None:
        try:
            async with self._begin(partition) as loops:
                log.info("%s: partition %d is ours", self._role, partition)
                await _all(loops)
        except asyncio.CancelledError:
            log.info("%s: partition %d is left", self._role, partition)
            raise
        except TidecastError as error:
            self._telemetry.faults.labels(self._role).inc()
            log.error("%s: partition %d: %s", self._role, partition, error)
        except Exception:
            self._telemetry.faults.labels(self._role).inc()
            log.exception("%s: partition %d: its work failed and begins anew", self._role, partition)


async def _all(loops: Loops) -> None:
    """Until one ends. Raises what it ended with."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        await stop(*tasks)
