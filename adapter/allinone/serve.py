"""`tidecast serve`: an adapter alone, which reads a log that others write."""

import asyncio
import socket
from collections.abc import Callable

from adapter.allinone.launch import (
    AdapterProcess,
    StartFailed,
    first_end,
    listen,
    refuse_strangers,
    set_by_signals,
)
from cme.core.settings import Settings


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Run until stopped by a signal. Raises TidecastError when it can't start or the adapter ended."""
    refuse_strangers(settings)
    if settings.follow_log is None and settings.log is None:
        raise StartFailed(
            "serve reads a log elsewhere: add followLog or log to the settings, or run tidecast up"
        )
    with listen(settings.http, "--http") as http, listen(settings.https, "--https") as https:
        asyncio.run(_until_stopped(settings, say, http, https))


async def _until_stopped(
    settings: Settings, say: Callable[[str], None], http: socket.socket, https: socket.socket
) -> None:
    stopping = asyncio.Event()
    set_by_signals(stopping)
    adapter = await AdapterProcess.start(settings, http, https, "")
    say(f"page:        http://{settings.http}/")
    try:
        await first_end(stopping, adapter)
    finally:
        await adapter.stop()
