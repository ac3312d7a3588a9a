"""Answers of a slow judge, remembered for a while; many who ask the same at once wait for one answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from cme.core.clock import Clock

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """At most `size` answers; the one that was asked for least recently goes first. Failures are not remembered."""

    def __init__(self, clock: Clock, keep_ms: Callable[[Value], int], size: int) -> None:
        """`keep_ms`: for how long an answer counts from the moment it was asked for."""
        self._clock, self._keep_ms, self._size = clock, keep_ms, size
        self._found: OrderedDict[Hashable, tuple[int, asyncio.Task[Value]]] = OrderedDict()

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """The remembered answer, or that of `ask`, whose exception goes to all who wait for it."""
        now = self._clock.monotonic_ms()
        found = self._found.get(key)
        if found is None or not self._counts(*found, now):
            found = now, asyncio.create_task(ask())
            found[1].add_done_callback(lambda answer: self._forget_failure(key, answer))
            self._found[key] = found
            if len(self._found) > self._size:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        if found[1].done():
            return found[1].result()
        # Shielded: one who goes away must not take the answer from the others.
        return await asyncio.shield(found[1])

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        self._found.clear()

    def _forget_failure(self, key: Hashable, answer: "asyncio.Task[Value]") -> None:
        """An exception holds all that was there when it was raised; many strangers' would fill the memory."""
        failed = answer.cancelled() or answer.exception() is not None
        if failed and key in self._found and self._found[key][1] is answer:
            del self._found[key]

    def _counts(self, asked: int, answer: "asyncio.Task[Value]", now: int) -> bool:
        if not answer.done():
            return True
        failed = answer.cancelled() or answer.exception() is not None
        return not failed and now - asked < self._keep_ms(answer.result())
