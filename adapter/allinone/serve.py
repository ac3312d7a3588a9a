"""`tidecast serve`: an adapter alone, which follows a log that another process serves."""

import asyncio
import signal
import socket
from collections.abc import Callable

from adapter.allinone.launch import AdapterProcess, StartFailed, listen, refuse_strangers
from adapter.allinone.up import Stopped
from cme.core.settings import Settings


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Run until stopped by a signal. Raises TidecastError when it can't start or the adapter ended."""
    refuse_strangers(settings)
    if settings.follow_log is None:
        raise StartFailed("serve follows a log: add followLog to the settings, or run tidecast up")
    with listen(settings.http, "--http") as http, listen(settings.https, "--https") as https:
        asyncio.run(_until_stopped(settings, say, http, https))


async def _until_stopped(
    settings: Settings, say: Callable[[str], None], http: socket.socket, https: socket.socket
) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    adapter = await AdapterProcess.start(settings, http, https, "")
    say(f"page:        http://{settings.http}/")
    asked, died = asyncio.create_task(stopping.wait()), asyncio.create_task(adapter.ended())
    try:
        await asyncio.wait([asked, died], return_when=asyncio.FIRST_COMPLETED)
        if died.done():
            raise Stopped(f"the adapter ended with code {died.result()}; its last lines say why")
    finally:
        asked.cancel()
        died.cancel()
        await adapter.stop()
