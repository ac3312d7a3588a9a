"""One HTTP request, without proxies or redirects."""

import http.client
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    status: int
    body: bytes


def request(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    context: ssl.SSLContext | None = None,
    timeout_s: float = 10,
) -> Answer:
    """Raises OSError, http.client.HTTPException."""
    parts = urlsplit(url)
    connection = (
        http.client.HTTPSConnection(parts.netloc, timeout=timeout_s, context=context)
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    )
    try:
        connection.request(
            method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, dict(headers or {})
        )
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    finally:
        connection.close()


def is_ok(url: str, context: ssl.SSLContext | None = None) -> bool:
    """Whether it answers 200 now."""
    try:
        return request("GET", url, context=context, timeout_s=2).status == 200
    except (OSError, http.client.HTTPException):
        return False


def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)
