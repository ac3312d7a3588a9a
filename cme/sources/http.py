"""Bounded HTTP reads with a CA and a token of the administrator's choice."""

import asyncio
import os
import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp

from cme.core.settings import Connection
from cme.sources.protocol import SourceFailed


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


class HttpReader:
    """One session, opened on first use in the running loop."""

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection
        self._session: aiohttp.ClientSession | None = None

    async def read(
        self, method: str, url: str, limit: int, timeout_s: float, form: dict[str, str] | None = None
    ) -> Answer:
        """An answer of at most `limit` bytes. Raises SourceFailed."""
        try:
            _ = urlsplit(url).port  # ValueError here; the client would leak a socket on a port above 65535
            headers, timeout = await self._headers(url), aiohttp.ClientTimeout(total=timeout_s)
            async with self._open().request(
                method, url, data=form, headers=headers, timeout=timeout
            ) as response:
                body = bytearray()
                async for part in response.content.iter_any():
                    body += part
                    if len(body) > limit:
                        raise SourceFailed(f"{url}: the answer is larger than {limit} bytes")
                return Answer(response.status, response.headers.get("Content-Type", ""), bytes(body))
        except TimeoutError:
            raise SourceFailed(f"{url}: no answer within {timeout_s:g} s") from None
        # ValueError: a host name that IDNA refuses, a token file that is not text.
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SourceFailed(f"{url}: {_cause(error)}") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            ca = self._connection.ca_file if self._connection else None
            try:
                context = ssl.create_default_context(cafile=ca) if ca else True
            except OSError as error:
                raise SourceFailed(f"CA file {ca}: {error.strerror or 'it holds no certificate'}") from None
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
        return self._session

    async def _headers(self, url: str) -> dict[str, str]:
        """The token, read anew each time: Kubernetes replaces it on disk.

        It only goes to the connection's own address: the targets of a scrape stand in a policy, and who writes
        one must not get the administrator's token sent to a server of his.
        """
        connection = self._connection
        if connection is None or connection.token_file is None:
            return {}
        if _origin(url) not in map(_origin, connection.address.split(",")):
            raise SourceFailed(f"{url}: the connection's token is only for {connection.address}")
        token = await asyncio.to_thread(connection.token_file.read_text)
        return {"Authorization": f"Bearer {token.strip()}"}


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url.strip())
    return parts.scheme, parts.netloc


def _cause(error: Exception) -> str:
    """A text that stays the same while the cause does: no addresses of objects, no local ports."""
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        # asyncio writes the address into strerror, TLS and name resolution have numbers of their own.
        system = not isinstance(cause, ssl.SSLError | socket.gaierror) and cause.errno
        return f"can't connect: {os.strerror(system) if system else cause.strerror or type(cause).__name__}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without an answer"
    return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__
