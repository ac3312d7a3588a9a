"""What a law of the log needs: batches to write, a way to compare them, and the implementations to hold to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cme.core.batch import Batch, Column, series_ids
from cme.core.durations import HOUR_MS
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Log, Position
from cme.log.record import encode
from tests.contract.followed_log import Followed, WrittenAndFollowed

START_MS = 500_000 * HOUR_MS


@dataclass(frozen=True)
class Implementation:
    """How to open a log that persists in a folder of the test's."""

    name: str
    writer: Callable[[Path], Log]
    reader: Callable[[Path], Log]
    removes: bool = True
    """What is superseded and what is old, at once; else somebody else does, in time."""


IMPLEMENTATIONS = [
    Implementation(
        "embedded",
        lambda folder: EmbeddedLog.open(folder / "log", writable=True),
        lambda folder: EmbeddedLog.open(folder / "log", writable=False),
    ),
    Implementation("followed", WrittenAndFollowed, Followed),
]


def batch(number: int, topic: str = "samples", key: str = "", rows: int = 3) -> Batch:
    """A batch whose every column follows from `number`, one second after the one before."""
    columns: dict[str, Column] = {
        "value": np.arange(rows, dtype=np.float64) * number / 7,
        "state": np.full(rows, number % 256, dtype=np.uint8),
        "reason": tuple(f"grün {number} {i}" for i in range(rows)),
    }
    ids = series_ids([number * 1_000 + i for i in range(rows)])
    return Batch(topic, START_MS + number * 1_000, ids, columns, key, epoch=number)


def bytes_of(batches: Sequence[Batch]) -> list[bytes]:
    """What is equal exactly when the batches are, bit by bit."""
    return [encode(each) for each in batches]


def numbers(batches: Sequence[Batch]) -> list[int]:
    """The numbers that `batch` made them of."""
    return [each.epoch for each in batches]


def read_all(
    log: Log, topics: Sequence[str], after: Position | None = None, limit: int = 1000
) -> list[Batch]:
    position, found = after or {}, list[Batch]()
    while (chunk := log.read(topics, position, limit)).batches:
        assert not chunk.damages
        found += chunk.batches
        position = chunk.position
    return found
