"""An embedded log, served over mutual TLS on the loopback, and followed."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from adapter.api.tls import ServerTls
from cme.core.batch import Batch
from cme.core.settings import LogLink
from cme.log.embedded import EmbeddedLog
from cme.log.follower import FollowedLog
from cme.log.protocol import Chunk, Position
from cme.log.server import serving
from tests.unit.adapter.api.authority import Authority


def link(folder: Path, authority: Authority, address: str, name: str = "peer") -> LogLink:
    """With files of the authority's in `folder`."""
    pair, ca = authority.issue(folder, name), folder / f"{name}-ca.crt"
    ca.write_text(authority.pem)
    return LogLink(address=address, cert_file=pair.certificate, key_file=pair.key, ca_file=ca)


class LogServer:
    """Serves the log in a folder from a thread, from its making to `close`; at a given port again after that."""

    def __init__(self, folder: Path, tls: ServerTls, port: int = 0) -> None:
        self._log = EmbeddedLog.open(folder, writable=False)
        self._sock = socket.create_server(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self._sock.getsockname()[1]}"
        self._loop, self._stopping = asyncio.new_event_loop(), asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[tls])
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._log.close()

    def _run(self, tls: ServerTls) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(tls))

    async def _serve(self, tls: ServerTls) -> None:
        async with serving(self._log, self._sock, tls.context):
            self._ready.set()
            await self._stopping.wait()


class Followed(FollowedLog):
    """A follower with its server."""

    def __init__(self, folder: Path) -> None:
        authority = Authority("log")
        own = link(Path(tempfile.mkdtemp(dir=folder)), authority, "127.0.0.1:0")
        self._server = LogServer(folder / "log", ServerTls(own, authority.pem, required=True))
        super().__init__(own.model_copy(update={"address": self._server.address}))

    def close(self) -> None:
        super().close()
        self._server.close()


class WrittenAndFollowed:
    """What writes goes to the embedded log, what reads to its follower: the laws need both at one place."""

    def __init__(self, folder: Path) -> None:
        self._writer = EmbeddedLog.open(folder / "log", writable=True)
        self._follower = Followed(folder)

    def append(self, batches: Sequence[Batch]) -> Position:
        return self._writer.append(batches)

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        return self._follower.read(topics, after, limit)

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        return self._follower.position_at(topics, time_ms)

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        return self._follower.newest(topic, key)

    def newest_at(self, topic: str, key: str, time_ms: int) -> Batch | None:
        return self._follower.newest_at(topic, key, time_ms)

    def retain(self, now_ms: int) -> int:
        return self._writer.retain(now_ms)

    def close(self) -> None:
        self._follower.close()
        self._writer.close()
