"""Answers of a slow judge, remembered for a while; many who ask the same at once wait for one answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from cme.core.clock import Clock

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """At most `size` answers; the one that was asked for least recently goes first. Failures are not
    remembered: an exception holds all that was there when it was raised."""

    def __init__(self, clock: Clock, keep_ms: Callable[[Value], int], size: int) -> None:
        """`keep_ms`: for how long an answer counts from the moment it was asked for."""
        self._clock, self._keep_ms, self._size = clock, keep_ms, size
        self._found: OrderedDict[Hashable, tuple[int, Value]] = OrderedDict()
        self._awaited: dict[Hashable, asyncio.Task[Value]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """The remembered answer, or that of `ask`, whose exception goes to all who wait for it."""
        now, found = self._clock.monotonic_ms(), self._found.get(key)
        if found is not None and now - found[0] < self._keep_ms(found[1]):
            self._found.move_to_end(key)
            return found[1]
        task = self._awaited.get(key)
        if task is None:
            task = self._awaited[key] = asyncio.create_task(ask())
            task.add_done_callback(partial(self._remember, key, now))
        # Shielded: one who goes away must not take the answer from the others.
        return await asyncio.shield(task)

    def __len__(self) -> int:
        """Answers that are remembered."""
        return len(self._found)

    def clear(self) -> None:
        """Forget all, also what is asked for now."""
        self._found.clear()
        self._awaited.clear()

    def _remember(self, key: Hashable, asked: int, task: "asyncio.Task[Value]") -> None:
        if self._awaited.get(key) is not task:
            return  # forgotten meanwhile
        del self._awaited[key]
        if task.cancelled() or task.exception() is not None:
            return
        self._found[key] = asked, task.result()
        self._found.move_to_end(key)
        if len(self._found) > self._size:
            self._found.popitem(last=False)
