"""Copies of the memory's files in the log, for whoever works on it next in another place.

A file is cut into parts, each a record of its own; a head says which parts make it. There are two sets of parts, which take
turns, so that a copy that was cut short leaves the one before.
"""

import base64
import logging
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cme.core.batch import Batch, series_ids
from cme.core.clock import Clock
from cme.log.protocol import Log, LogFailed

log = logging.getLogger("tidecast.predictor")

PART_BYTES = 600_000
"""As text a third longer: below what a record may be."""
AT_ONCE = 8
"""Parts of an append, so that no decision waits long for its turn."""


class Mirror:
    """Of the files `*.state` in a folder."""

    def __init__(self, log_: Log, clock: Clock, folder: Path) -> None:
        self._log, self._clock, self._folder = log_, clock, folder
        self._copied: dict[str, int] = {}  # by file its time of change
        self._sets: dict[str, int] = {}  # by file the set of parts that holds its copy

    def fetch(self) -> None:
        """Put what the log has into the folder. Raises LogFailed."""
        records = {batch.key: batch for batch in self._log.newest("state")}
        for name, head in records.items():
            if "/" in name:
                continue
            self._sets[name] = int(head.numbers("set")[0])
            content = _joined(name, head, records)
            if content is None:
                log.warning("the log's copy of %s is not whole; what it held is learnt anew", name)
                continue
            self._put(self._folder / name, content)

    def _put(self, path: Path, content: bytes) -> None:
        """A disk that doesn't take it costs what was learnt since the file that is there, or all of it."""
        scratch = path.with_suffix(".fetched")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch.write_bytes(content)
            scratch.replace(path)
            log.info("%s is taken from the log", path.name)
        except OSError as error:
            log.warning("can't write %s: %s; what the log has of it is learnt anew", path, error)
        if path.exists():  # one that is older than the log's copy must not take its place
            self._copied[path.name] = path.stat().st_mtime_ns

    def copy(self) -> None:
        """Write to the log what has changed since the last time; what can't be written costs the next owner some learning."""
        try:
            for path in sorted(self._folder.glob("*.state")):
                changed = path.stat().st_mtime_ns
                if changed != self._copied.get(path.name):
                    self._copy(path.name, path.read_bytes())
                    self._copied[path.name] = changed
        except (LogFailed, OSError) as error:
            log.warning("the memory is not copied to the log: %s", error)

    def _copy(self, name: str, content: bytes) -> None:
        chosen, now = 1 - self._sets.get(name, 1), self._clock.now_ms()
        parts = [_part(f"{name}/{chosen}/{number}", one, now) for number, one in enumerate(_parts(content))]
        for start in range(0, len(parts), AT_ONCE):
            self._log.append(parts[start : start + AT_ONCE])
        figures = {"set": chosen, "parts": len(parts), "crc": zlib.crc32(content)}
        columns = {column: np.array([value], dtype=np.int64) for column, value in figures.items()}
        self._log.append([Batch("state", now, series_ids([0]), columns, name)])
        self._sets[name] = chosen


def _parts(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PART_BYTES):
        yield content[start : start + PART_BYTES]


def _part(key: str, content: bytes, now_ms: int) -> Batch:
    text = base64.b64encode(content).decode()
    return Batch("state", now_ms, series_ids([0]), {"part": (text,)}, key)


def _joined(name: str, head: Batch, records: Mapping[str, Batch]) -> bytes | None:
    """None unless all parts are there, and are those that the head is about."""
    chosen, parts, crc = (int(head.numbers(column)[0]) for column in ("set", "parts", "crc"))
    found = [records.get(f"{name}/{chosen}/{number}") for number in range(parts)]
    content = b"".join(base64.b64decode(part.texts("part")[0]) for part in found if part)
    return content if None not in found and zlib.crc32(content) == crc else None
