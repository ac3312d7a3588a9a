"""Reading a log from a position to its end."""

from collections.abc import Iterator, Sequence

from cme.core.batch import Batch
from cme.log.protocol import Log, Position

CHUNK = 1_000


def batches_behind(
    log: Log, topics: Sequence[str], position: Position, chunk: int = CHUNK
) -> Iterator[Batch]:
    """Every batch of the topics behind a position, in order; damaged ones are left out. Raises LogFailed.

    `chunk` are read at once: few, for who may stop early or reads large ones.
    """
    while (read := log.read(topics, position, chunk)).batches:
        yield from read.batches
        position = read.position
