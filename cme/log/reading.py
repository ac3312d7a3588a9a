"""Reading a log from a position to its end."""

from collections.abc import Iterator, Sequence

from cme.core.batch import Batch
from cme.log.protocol import Log, Position

CHUNK = 1_000


def batches_behind(log: Log, topics: Sequence[str], position: Position) -> Iterator[Batch]:
    """Every batch of the topics behind a position, in order; damaged ones are left out. Raises LogFailed."""
    while (chunk := log.read(topics, position, CHUNK)).batches:
        yield from chunk.batches
        position = chunk.position
