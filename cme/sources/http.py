"""Bounded HTTP reads with a CA and a token of the administrator's choice."""

import asyncio
import ssl

import aiohttp

from cme.core.settings import Connection
from cme.sources.protocol import SourceFailed


class HttpReader:
    """One session, opened on first use in the running loop."""

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection
        self._session: aiohttp.ClientSession | None = None

    async def read(
        self, method: str, url: str, limit: int, form: dict[str, str] | None = None
    ) -> tuple[int, str, bytes]:
        """Status, content type and body of an answer of at most `limit` bytes. Raises SourceFailed."""
        try:
            async with self._open().request(
                method, url, data=form, headers=await self._headers()
            ) as response:
                body = bytearray()
                async for part in response.content.iter_any():
                    body += part
                    if len(body) > limit:
                        raise SourceFailed(f"{url}: the answer is larger than {limit} bytes")
                return response.status, response.headers.get("Content-Type", ""), bytes(body)
        except (aiohttp.ClientError, OSError) as error:
            raise SourceFailed(f"{url}: {_cause(error)}") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            ca = self._connection.ca_file if self._connection else None
            context = ssl.create_default_context(cafile=ca) if ca else True
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
        return self._session

    async def _headers(self) -> dict[str, str]:
        """The token is read anew each time: Kubernetes replaces it on disk."""
        file = self._connection.token_file if self._connection else None
        if file is None:
            return {}
        return {"Authorization": f"Bearer {(await asyncio.to_thread(file.read_text)).strip()}"}


def _cause(error: Exception) -> str:
    """A text that stays the same while the cause does: no addresses of objects, no local ports."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"can't connect: {error.os_error.strerror or type(error.os_error).__name__}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without an answer"
    return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__
