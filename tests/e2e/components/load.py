"""Open-loop HTTP load: requests leave at a given rate, however fast the answers come."""

import asyncio
import threading
import time
from typing import Self

BEAT_S = 0.01
CONNECTIONS = 8
LONGEST_S = 900
"""The load ends by itself after this long, whatever becomes of the test."""


class Load:
    """GETs of one path of a server on 127.0.0.1. Set `rate` (1/s) at any time; `sent` counts."""

    def __init__(self, port: int, path: str) -> None:
        self.rate, self.sent, self.late = 0.0, 0, 0
        self._port = port
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    async def _run(self) -> None:
        # A server that no longer keeps up must not make a heap of requests to send later.
        due: asyncio.Queue[None] = asyncio.Queue(maxsize=4 * CONNECTIONS)
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._connection(due)) for _ in range(CONNECTIONS)]
            await self._pace(due)
            for worker in workers:
                worker.cancel()

    async def _pace(self, due: asyncio.Queue[None]) -> None:
        end = last = time.monotonic()
        end += LONGEST_S
        owed = 0.0
        while not self._ending.is_set() and last < end:
            await asyncio.sleep(BEAT_S)
            now = time.monotonic()
            owed += self.rate * (now - last)
            last = now
            while owed >= 1:
                owed -= 1
                try:
                    due.put_nowait(None)
                except asyncio.QueueFull:
                    self.late += 1

    async def _connection(self, due: asyncio.Queue[None]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while True:
                await due.get()
                writer.write(self._request)
                await _answer(reader)
                self.sent += 1
        finally:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.split(b"content-length:")[1].split(b"\r\n")[0]
    await reader.readexactly(int(length))
