"""One writer at a time, and a name for it: an advisory lock on a file that says who holds it."""

import contextlib
import fcntl
import json
import os
import sys
import time
from pathlib import Path

from cme.log.protocol import LogFailed, LogLocked

_TRIES, _PAUSE_S = 10, 0.05
"""A writer that is killed while it starts a process leaves its lock to that process until its exec, a moment later."""


class WriterLock:
    """Held from `acquire` to `release`; the kernel releases it when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Raises LogLocked naming the process that holds it, LogFailed when the file can't be written."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LogFailed(
                f"{self._path}: {error.strerror}; make the folder writable or choose another --data"
            ) from None
        try:
            _lock(file)
        except BlockingIOError:
            owner = os.pread(file, 4096, 0).decode(errors="replace")
            os.close(file)
            raise LogLocked(
                f"{self._path.parent} is being written by {_named(owner)}; stop it or choose another --data"
            ) from None
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same, only without a name
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(_owner()).encode(), 0)
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def _lock(file: int) -> None:
    """Raises BlockingIOError when another keeps holding it."""
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not left:
                raise
            time.sleep(_PAUSE_S)


def _owner() -> dict[str, object]:
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "since": started,
        "command": " ".join(sys.argv)[:200],
    }


def _named(text: str) -> str:
    try:
        owner = json.loads(text)
        return f"process {owner['pid']} on {owner['host']} (since {owner['since']}: {owner['command']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
