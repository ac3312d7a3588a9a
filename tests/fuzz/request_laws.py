"""What an answer to a damaged request may be."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from adapter.api.app import HEALTH
from adapter.api.paths import MAX_PATH
from tests.fuzz.requests import TOKEN
from tests.fuzz.served import LENGTH, VALUES

NOTHING = "closed"
"""No answer: half a request, or bytes that are none."""

HELD = re.compile(rb"bearer\s+" + TOKEN.encode(), re.IGNORECASE)
CODES = {200, 304, 400, 401, 403, 404, 405, 406, 503}
NOT_SERVED = ("has no fresh value", "no fresh decision", "there is no forecast", "are not known")
"""What a 503 may say here: that a number is missing."""


def judged(request: bytes, answer: bytes, tally: Counter[str]) -> None:
    """Count what kind of answer it is. Raises AssertionError that shows both."""
    try:
        tally.update([_kind(request, one) for one in _answers(answer)] or [NOTHING])
    except (AssertionError, ValueError, LookupError) as error:
        raise AssertionError(f"{error!r}\nrequest {request!r}\nanswer {answer!r}") from error


def _answers(whole: bytes) -> Iterator[bytes]:
    """What follows the end of a request is the next one, which gets an answer of its own."""
    while whole:
        head, end, rest = whole.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        size = int(length[1]) if length and not rest.startswith(b"HTTP/") else 0  # HEAD's has none
        yield head + end + rest[:size]
        whole = rest[size:]


def _kind(request: bytes, answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    code = int(first.split()[1])
    assert code in CODES, "a status that is not documented"
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if code == 304 or (not body and request.lstrip().startswith(b"HEAD ")):
        return str(code)
    if headers["content-type"].startswith("text/plain"):
        return _plain(request, code, first)
    document = json.loads(body)
    if code == 200:
        _is_true(request, document)
    else:
        _is_status(code, document)
    return str(code)


def _plain(request: bytes, code: int, first: str) -> str:
    if code == 200:
        assert any(path.encode() in request for path in HEALTH), "text that is not about health"
        return "health"
    # Whatever version was asked for: the connection ends.
    assert first == "HTTP/1.0 400 Bad Request", "text for what is HTTP"
    return "no HTTP"


def _is_status(code: int, document: dict[str, Any]) -> None:
    assert (document["kind"], document["apiVersion"], document["status"]) == ("Status", "v1", "Failure")
    assert document["code"] == code
    assert document["message"]
    assert len(document["message"]) < 2 * MAX_PATH, "a message that nobody reads"
    assert document["reason"]
    assert code != 503 or any(text in document["message"] for text in NOT_SERVED), "503 for another cause"


def _is_true(request: bytes, document: dict[str, Any]) -> None:
    """Only who holds the token gets anything, and every number is the one of what was asked for."""
    assert HELD.search(request), "served without the token"
    if not document.get("kind", "").endswith("MetricValueList"):
        return
    assert document["items"], "an empty list"
    asked = unquote_to_bytes(request.partition(b"\r\n")[0])
    for item in document["items"]:
        metric = item.get("metricName") or item["metric"]["name"]
        name = (
            item["metricLabels"]["tidecast.dev/workload"]
            if "metricLabels" in item
            else item["describedObject"]["name"]
        )
        assert item["value"] == VALUES[name, metric], "a wrong number"
        assert metric.encode() in asked, "another metric"
