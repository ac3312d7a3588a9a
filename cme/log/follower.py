"""The reading side of a log that another process serves (server.py), over HTTP with mutual TLS.

Calls block, as those of every log do; a thread of its own runs the connections, so that each call ends in time however
slowly the other side answers. A connection that was lost is opened again by the next call.
"""

import asyncio
import concurrent.futures
import json
import ssl
import threading
from collections.abc import Sequence
from typing import NoReturn

import aiohttp

from cme.core.batch import Batch
from cme.core.settings import LogLink
from cme.log.protocol import Chunk, LogFailed, LogReplaced, Position
from cme.log.record import RecordDamaged
from cme.log.topics import known
from cme.log.wire import Head, unpack

CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
WAIT_MS = 10_000
"""For so long `wait` waits for something new."""
MAX_BYTES = 256 << 20
"""Of an answer. Only `newest` of a whole topic may come near it."""
_PART = 1 << 20

Query = dict[str, str | int]


class FollowedLog:
    """Safe to call from several threads. Every call raises LogFailed when it can't be done, and LogReplaced, from then on
    for ever, once the other side has shown another log: open a new one, and forget what was read from the old."""

    def __init__(self, link: LogLink) -> None:
        """Asks for nothing yet: the other side may come later."""
        self._name, self._url = f"the log at {link.address}", f"https://{link.address}/v1/"
        self._tls = ClientTls(link)
        self._turn = threading.Lock()
        self._identity, self._replaced, self._closed = "", False, False
        self._session: aiohttp.ClientSession | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="followed-log", daemon=True)
        self._thread.start()

    def append(self, batches: Sequence[Batch]) -> NoReturn:
        """See `Log.append`. Raises LogFailed."""
        raise LogFailed(f"{self._name} is followed for reading only; append through its writer")

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        """See `Log.read`. Raises LogReplaced for a position behind the log's end."""
        position = {topic: after.get(topic, 0) for topic in known(topics)}
        query: Query = {"position": json.dumps(position), "limit": limit}
        head, batches = self._ask("read", query)
        if max(position.values(), default=0) > head.end:
            self._refuse()
        if not _leads_on(position, head.position, batches):
            raise LogFailed(f"{self._name} answered with a position that does not follow; upgrade both sides")
        return Chunk(batches, head.position, head.damages)

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        """See `Log.position_at`."""
        query: Query = {"topics": json.dumps(list(known(topics))), "time_ms": time_ms}
        return self._ask("position_at", query)[0].position

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        """See `Log.newest`."""
        (topic,) = known([topic])
        query: Query = {"topic": topic} if key is None else {"topic": topic, "key": key}
        return self._ask("newest", query)[1]

    def newest_at(self, topic: str, key: str, time_ms: int) -> Batch | None:
        """See `Log.newest_at`."""
        (topic,) = known([topic])
        batches = self._ask("newest_at", {"topic": topic, "key": key, "time_ms": time_ms})[1]
        return batches[0] if batches else None

    def wait(self, seen: int) -> int:
        """The number that the log gave last, as soon as it is another than `seen`, at the latest after WAIT_MS."""
        return self._ask("end", {"seen": seen, "wait_ms": WAIT_MS})[0].end

    def retain(self, now_ms: int) -> NoReturn:
        """See `Log.retain`. Raises LogFailed."""
        raise LogFailed(f"{self._name} is followed for reading only; its writer removes what is old")

    def close(self) -> None:
        """See `Log.close`. Calls that are waiting end with LogFailed."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            ended = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        ended.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _ask(self, path: str, query: Query) -> tuple[Head, list[Batch]]:
        with self._turn:
            if self._closed:
                raise LogFailed(f"{self._name} is closed")
            asked = asyncio.run_coroutine_threadsafe(self._get(path, query), self._loop)
        try:
            head, batches = unpack(asked.result())
        except concurrent.futures.CancelledError:
            raise LogFailed(f"{self._name} is closed") from None
        except RecordDamaged as error:
            raise LogFailed(
                f"{self._name} answered with something else ({error}); correct its address"
            ) from None
        with self._turn:
            self._identity = self._identity or head.log
            replaced = self._replaced or head.log != self._identity
        if replaced:
            self._refuse()
        return head, batches

    def _refuse(self) -> NoReturn:
        self._replaced = True
        raise LogReplaced(f"{self._name} is another one than before; read it from its beginning")

    async def _get(self, path: str, query: Query) -> bytes:
        limit = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        if self._session is None:
            # Python 3.11 itself waits for ever for a peer that takes no leave of TLS.
            connector = aiohttp.TCPConnector(enable_cleanup_closed=True)
            self._session = aiohttp.ClientSession(connector=connector, timeout=limit, auto_decompress=False)
        try:
            async with self._session.get(
                self._url + path, params=query, ssl=self._tls.context(), allow_redirects=False
            ) as answer:
                body = await self._body(answer)
        except TimeoutError:
            raise LogFailed(f"{self._name} did not answer in time; look whether its process runs") from None
        except (aiohttp.ClientError, OSError) as error:
            raise LogFailed(f"{self._name} can't be reached ({_cause(error)}); it is tried again") from None
        if answer.status != 200:
            said = body[:400].decode(errors="replace")
            raise LogFailed(f"{self._name} answered {answer.status}: {said}")
        return body

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in answer.content.iter_chunked(_PART):
            size += len(part)
            if size > MAX_BYTES:
                raise LogFailed(f"{self._name} answered with more than {MAX_BYTES} bytes; ask for less")
            parts.append(part)
        return b"".join(parts)

    async def _end(self) -> None:
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


class ClientTls:
    """What connections are opened with: made anew when a file has changed."""

    def __init__(self, link: LogLink) -> None:
        self._files = link.ca_file, link.cert_file, link.key_file
        self._seen: list[bytes] = []
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """The same object while the files are the same. Raises LogFailed."""
        try:
            content = [path.read_bytes() for path in self._files]
            if self._context is None or content != self._seen:
                ca, certificate, key = self._files
                context = ssl.create_default_context(cafile=ca)
                context.load_cert_chain(certificate, key)
                self._context, self._seen = context, content
        except OSError as error:  # ssl.SSLError too
            files = ", ".join(map(str, self._files))
            raise LogFailed(
                f"{files}: can't be loaded ({error.strerror}); give PEM files of an authority, a certificate and its key"
            ) from None
        return self._context


def _cause(error: Exception) -> object:
    """Without what aiohttp says around it, which names an object of ours by its place in memory."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return error.certificate_error
        case aiohttp.ClientConnectorError():
            return error.os_error
    return error


def _leads_on(before: Position, after: Position, batches: Sequence[Batch]) -> bool:
    """Whether what was read goes from the one position on to the other: else a reader might go around for ever."""
    if before.keys() != after.keys() or any(after[topic] < seq for topic, seq in before.items()):
        return False
    return before != after if batches else True
