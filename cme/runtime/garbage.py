"""What is held for long is not looked through for garbage at every tick.

With ten thousand workloads that takes half a second each time, and a tick makes enough new objects to be the cause of it
(https://docs.python.org/3/library/gc.html#gc.freeze).
"""

import asyncio
import gc

from cme.core.durations import MINUTE_MS

PERIOD_MS = 10 * MINUTE_MS


async def settle() -> None:
    """Collect all garbage there is, also of what was held before, and leave what stays out of later collections."""
    await asyncio.to_thread(_settle)


def _settle() -> None:
    gc.unfreeze()
    gc.collect()
    gc.freeze()
