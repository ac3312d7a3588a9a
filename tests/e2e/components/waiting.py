"""Waiting for something to become so: polled, with a bound, never a fixed sleep."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.05


def until(what: str, look: Callable[[], T | None], timeout_s: float, poll_s: float = POLL_S) -> T:
    """The first answer of `look` that is neither None nor False. Raises TimeoutError that names `what`."""
    end = time.monotonic() + timeout_s
    while True:
        seen = look()
        if seen is not None and seen is not False:
            return seen
        if time.monotonic() > end:
            raise TimeoutError(f"not within {timeout_s:g} s: {what}")
        time.sleep(poll_s)


def is_listening(port: int) -> bool:
    """Whether something takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
