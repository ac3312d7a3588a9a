"""HTTP as a client of an API server speaks it: one identity, or none."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 10

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """`headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Of the content, without parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip()

    def json(self) -> Json:
        """Raises ValueError for what is no JSON object."""
        document = json.loads(self.body)
        if not isinstance(document, dict):
            raise ValueError(f"not a JSON object: {self.body[:80]!r}")
        return document


@dataclass(frozen=True)
class Client:
    """Of an adapter, or of the API server in front of one, at `url` (scheme, host, port)."""

    url: str
    identified: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    """Whom to trust, with the client's certificate where it has one."""
    anonymous: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Headers that say who asks."""

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET", nobody: bool = False
    ) -> Answer:
        """`nobody`: without certificate and credentials. Raises OSError, http.client.HTTPException."""
        connection = self._connection(self.anonymous if nobody else self.identified)
        sent = dict(headers or {}) if nobody else {**self.credentials, **(headers or {})}
        try:
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, received, answer.read())
        finally:
            connection.close()

    def document(self, path: str) -> Json | None:
        """The JSON object there; None when the answer is an error."""
        answer = self.ask(path, {"Accept": "application/json"})
        return answer.json() if answer.status == 200 else None

    def _connection(self, context: ssl.SSLContext) -> http.client.HTTPConnection:
        where = urlsplit(self.url)
        if where.scheme == "https":
            return http.client.HTTPSConnection(where.netloc, timeout=TIMEOUT_S, context=context)
        return http.client.HTTPConnection(where.netloc, timeout=TIMEOUT_S)
