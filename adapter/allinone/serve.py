"""`tidecast serve`: an adapter alone, which reads a log that others write."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

from adapter.allinone.launch import (
    AdapterProcess,
    StartFailed,
    first_end,
    listen,
    refuse_strangers,
)
from cme.core.settings import Settings


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Run until stopped by a signal, see `_Signals`. Raises TidecastError when it can't start or the adapter ended."""
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
    signals = _Signals()
    adapter = await AdapterProcess.start(settings, http, https, "")
    say(f"page:        http://{settings.http}/")
    try:
        await first_end(signals.leaving, adapter)
        adapter.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.shutdown_delay / 1000):
                await first_end(signals.stopping, adapter)
    finally:
        await adapter.stop()


class _Signals:
    """SIGTERM is a cluster's: whoever still sends requests here learns of it by our readiness, and is answered meanwhile. A
    person's SIGINT, and a second signal, stop at once."""

    def __init__(self) -> None:
        self.leaving, self.stopping = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGINT, self._stop)

    def _terminate(self) -> None:
        if self.leaving.is_set():
            self._stop()
        self.leaving.set()

    def _stop(self) -> None:
        self.stopping.set()
        self.leaving.set()
