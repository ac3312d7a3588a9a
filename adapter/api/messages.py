"""What is asked over HTTP and what is answered, without the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from adapter.access.authenticate import Headers

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_NONE: Mapping[str, str] = {}


@dataclass(slots=True)
class Request:
    method: str
    path: str
    """As it was sent: with its %-escapes."""
    query: Mapping[str, str]
    """Of a name that comes twice the first."""
    headers: Headers
    certificate: bytes | None = None
    """The client's, DER, which TLS has verified; None where there is none."""
    admitted: bool = False
    """Set by whoever has found that its sender may ask."""


class Response(NamedTuple):
    code: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = _NONE
    """Beside those of the content."""
