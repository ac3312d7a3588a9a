"""Sockets and the adapter's process, opened before anything else so that what is busy or broken shows at once."""

import asyncio
import ipaddress
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence

from cme.core.errors import TidecastError
from cme.core.settings import Settings, split_address

STOP_SECONDS = 5
BACKLOG = 1024


class StartFailed(TidecastError):
    """tidecast can't start; the text says why and what to do."""


class Stopped(TidecastError):
    """The adapter ended, and nobody had asked it to."""


def refuse_strangers(settings: Settings) -> None:
    """Without a cluster nobody tells who asks: only loopback addresses may be served. Raises StartFailed."""
    for name in ("http", "https"):
        host, _ = split_address(getattr(settings, name), name)
        if settings.kubernetes is None and not _is_loopback(host):
            raise StartFailed(
                f"{name} {getattr(settings, name)}: without kubernetes in the settings only a loopback address "
                "can be served; use 127.0.0.1"
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(address: str, name: str) -> socket.socket:
    """A listening socket. Raises StartFailed naming the flag, or the field of the settings, to change."""
    host, port = split_address(address, name)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server((host, port), family=found[0][0], backlog=BACKLOG)
    except socket.gaierror as error:
        raise StartFailed(f"{address}: {error.strerror}; choose another with {name}") from None
    except OSError as error:  # its strerror repeats the address
        cause = os.strerror(error.errno or 0)
        raise StartFailed(f"can't listen at {address}: {cause}; choose another with {name}") from None


class AdapterProcess:
    """The adapter, in a process of its own: the engine's work must not delay an answer to the HPA."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, settings: Settings, http: socket.socket, https: socket.socket, ops_url: str
    ) -> "AdapterProcess":
        """Start it and wait until it serves. Raises StartFailed with the reason that it gives."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "adapter.server",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=_descriptors(http, https),
            start_new_session=True,  # a Ctrl-C is ours to handle: it stops when its input closes
        )
        assert process.stdin
        assert process.stdout
        head = {
            "settings": settings.model_dump(mode="json", by_alias=True),
            "http_fd": http.fileno(),
            "https_fd": https.fileno(),
            "ops_url": ops_url,
        }
        process.stdin.write(json.dumps(head).encode() + b"\n")
        answer = (await process.stdout.readline()).decode().strip()
        if answer != "ready":
            await process.wait()
            raise StartFailed(answer or f"the adapter ended with code {process.returncode}")
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ended(self) -> int:
        """Wait for its end, which nobody asked for; returns its exit code."""
        return await self._process.wait()

    def leave(self) -> None:
        """From now on it says that it is not ready, and answers until it is stopped."""
        assert self._process.stdin
        self._process.stdin.write(b"leave\n")

    async def stop(self) -> None:
        """Close its input and wait; kill it when it does not stop."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def set_by_signals(stopping: asyncio.Event) -> None:
    """From now on by SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)


async def first_end(stopping: asyncio.Event, adapter: AdapterProcess, *loops: asyncio.Task[None]) -> None:
    """Wait until one of them comes to its end. Raises Stopped when it is the adapter, and what a loop ended with."""
    asked, died = asyncio.create_task(stopping.wait()), asyncio.create_task(adapter.ended())
    try:
        done, _ = await asyncio.wait([asked, died, *loops], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {asked, died}:
            task.result()  # raises what ended it
        if died in done:
            raise Stopped(f"the adapter ended with code {died.result()}; its last lines say why")
    finally:
        asked.cancel()
        died.cancel()


def _descriptors(*sockets: socket.socket) -> Sequence[int]:
    for one in sockets:
        os.set_inheritable(one.fileno(), True)
    return [one.fileno() for one in sockets]
