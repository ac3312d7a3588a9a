"""Loops that end only when asked to: a fault in one turn is logged and counted, then the next turn comes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from cme.core.clock import Clock
from cme.core.errors import TidecastError

log = logging.getLogger("tidecast")


async def every(
    period_ms: int, clock: Clock, turn: Callable[[], Awaitable[object]], on_fault: Callable[[], None]
) -> None:
    """Run `turn` on a fixed beat until cancelled. Beats that a slow turn overran are left out, not made up."""
    due = clock.monotonic_ms()
    while True:
        try:
            await turn()
        except TidecastError as error:  # its text says all, and comes with every turn of a disk that is full
            log.error("%s; %s runs again in %d ms", error, _name(turn), period_ms)
            on_fault()
        except Exception:
            log.exception("%s failed; it runs again in %d ms", _name(turn), period_ms)
            on_fault()
        behind = clock.monotonic_ms() - due
        due += period_ms * (1 + behind // period_ms)
        await clock.sleep_until(due)


def _name(turn: Callable[[], Awaitable[object]]) -> str:
    return str(getattr(turn, "__qualname__", turn))


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they are done."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
