"""Time as an argument: the wall clock in integer milliseconds, the monotonic one for ages and waits."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol

from cme.core.durations import HOUR_MS


class Clock(Protocol):
    """Wall time names a sample; monotonic time measures ages inside a process, as it never jumps."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""

    def monotonic_ms(self) -> int:
        """Milliseconds since an arbitrary start, never decreasing."""

    async def sleep_until(self, monotonic_ms: int) -> None:
        """Return once `monotonic_ms()` has reached the given value."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def sleep_until(self, monotonic_ms: int) -> None:
        left = monotonic_ms - self.monotonic_ms()
        if left > 0:
            await asyncio.sleep(left / 1000)


SET_BACK_MS = HOUR_MS
"""A clock that was set back by no more than this is waited for until it is where it was."""


class ManualClock:
    """A clock that only moves when told to: for tests and what-if."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Event]] = []

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    async def sleep_until(self, monotonic_ms: int) -> None:
        if monotonic_ms <= self._monotonic_ms:
            return
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (monotonic_ms, next(self._order), woken))
        await woken.wait()

    def advance(self, ms: int) -> None:
        """Move both clocks forward by `ms` and wake who waited for that."""
        self._now_ms += ms
        self._monotonic_ms += ms
        while self._sleepers and self._sleepers[0][0] <= self._monotonic_ms:
            heapq.heappop(self._sleepers)[2].set()

    def step_wall(self, ms: int) -> None:
        """Set the wall clock forward or back, as NTP or a person does; the monotonic one stays."""
        self._now_ms += ms
