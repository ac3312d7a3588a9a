"""Batches that follow from a counter alone, so that a reader can tell what must be there bit by bit."""

from collections.abc import Mapping

import numpy as np

from cme.core.batch import Batch, Column
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Damage, Position
from cme.log.record import encode
from cme.log.topics import TOPICS

START_MS = 1_750_000_000_000
KEYS = 5
_ROWS = (1, 20, 500)
"""Records within a leaf page, filling one, and in a chain of overflow pages."""


def batch(counter: int) -> Batch:
    """The batch of a counter; every seventh is keyed. The counter is its epoch."""
    random = np.random.default_rng(counter)
    rows = _ROWS[counter % len(_ROWS)]
    ids = random.integers(0, 2**63, rows, dtype=np.uint64)
    columns: dict[str, Column] = {
        "value": random.random(rows),
        "state": random.integers(0, 255, rows, dtype=np.uint8),
    }
    if counter % 7 == 0:
        key = f"block-{counter // 7 % KEYS}"
        return Batch("forecasts", START_MS + counter, ids, columns, key, epoch=counter)
    return Batch("samples", START_MS + counter, ids, columns, epoch=counter)


def group(counter: int) -> list[Batch]:
    """The batches that are appended in one call from `counter` on."""
    return [batch(i) for i in range(counter, counter + 1 + counter % 4)]


def read_counters(log: EmbeddedLog) -> tuple[set[int], list[Damage]]:
    """The counters whose batches are there, and the damages met. Raises AssertionError for a wrong bit."""
    found: set[int] = set()
    damages: list[Damage] = []
    position: Position = {}
    while True:
        chunk = log.read(list(TOPICS), position, 500)
        damages += chunk.damages
        for each in chunk.batches:
            assert encode(each) == encode(batch(each.epoch)), f"batch {each.epoch} came back different"
            found.add(each.epoch)
        if not chunk.batches:
            return found, damages
        position = chunk.position


def expected(acknowledged: int) -> set[int]:
    """The counters that must be there when 0 to `acknowledged` were appended: of each key only the newest."""
    newest: Mapping[str, int] = {batch(i).key: i for i in range(0, acknowledged + 1, 7)}
    return {i for i in range(acknowledged + 1) if i % 7} | set(newest.values())
