"""What is held for long is not looked through for garbage at every tick, and what is held no more is the machine's again.

With ten thousand workloads a collection takes half a second, and a tick makes enough new objects to be the cause of it
(https://docs.python.org/3/library/gc.html#gc.freeze). Of the engine of a partition that another process has taken over
glibc keeps seven eighths: blocks that lie between others (malloc_trim(3)).
"""

import asyncio
import ctypes
import gc

from cme.core.durations import MINUTE_MS

PERIOD_MS = 10 * MINUTE_MS


async def settle() -> None:
    """Collect all garbage there is, also of what was held before, give its memory back, and leave what stays out of later
    collections."""
    await asyncio.to_thread(_settle)


def _settle() -> None:
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # of glibc alone
        trim(0)
