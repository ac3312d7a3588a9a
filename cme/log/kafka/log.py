"""The protocol of the log on one partition of Kafka's topics."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.core.settings import KafkaLink
from cme.log.kafka.consumer import Reader, Stored
from cme.log.kafka.layout import copy_of, has_copy, name_of
from cme.log.kafka.producer import Record, Writer
from cme.log.protocol import MAX_RECORD_BYTES, Chunk, Damage, LogFailed, Position
from cme.log.record import RecordDamaged, decode, encode, split
from cme.log.topics import known, topic_of

FIRST_LOOK_MS = 10 * MINUTE_MS
"""How far `newest_at` looks back at first; then ten times as far, and so on."""


class KafkaLog:
    """Safe to call from several threads; they take turns. Every call raises LogFailed when it can't be done.

    Positions are offsets. What is old is removed by the brokers, by each topic's configuration (layout.py).
    """

    def __init__(
        self,
        link: KafkaLink,
        partition: int,
        writer: str | None = None,
        holds: Callable[[], bool] | None = None,
    ) -> None:
        """`writer` names who writes, one at a time: a new one of the same name puts an end to the one before; None only reads.
        `holds`: see `Writer`. The topics must be there. Raises LogFailed."""
        self._link, self._partition = link, partition
        self._following, self._looking = Reader(link, partition), Reader(link, partition)
        self._writer = (
            Writer(link, f"{link.prefix}-{writer}-{partition}", partition, holds) if writer else None
        )
        self._reads, self._looks, self._writes = threading.RLock(), threading.RLock(), threading.RLock()
        self._closed = False

    def append(self, batches: Sequence[Batch]) -> Position:
        """See `Log.append`. Raises LogFenced when another writes now, and ValueError, storing none, for a batch that can't be a
        record of its topic."""
        records = [record for batch in batches for record in self._records(batch)]
        with self._writes:
            self._refuse_closed()
            if self._writer is None:
                raise LogFailed(
                    f"kafka at {self._link.address} was opened for reading only; append through its writer"
                )
            ends = self._writer.append(records) if records else {}
            if ends:
                with self._reads, contextlib.suppress(LogFailed):  # they are written all the same
                    self._following.await_visible(ends)
        topics = {batch.topic for batch in batches}
        return {topic: ends[name_of(self._link.prefix, topic)] for topic in topics}

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        """See `Log.read`. Goes on behind damaged records until it has a batch or reaches the end."""
        names = {name_of(self._link.prefix, topic): topic for topic in known(topics)}
        position = {topic: after.get(topic, 0) for topic in topics}
        batches: list[Batch] = []
        damages: list[Damage] = []
        with self._reads:
            self._refuse_closed()
            while not batches:
                found = self._following.read({name: position[t] for name, t in names.items()}, limit)
                if not found:
                    break
                position |= {names[record.topic]: record.offset + 1 for record in found}
                for one in map(self._batch, found):
                    (batches if isinstance(one, Batch) else damages).append(one)  # type: ignore[arg-type]
        return Chunk(batches, position, damages)

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        """See `Log.position_at`."""
        names = {topic: name_of(self._link.prefix, topic) for topic in known(topics)}
        with self._looks:
            self._refuse_closed()
            found = self._looking.offset_at(tuple(names.values()), time_ms)
        return {topic: found[name] for topic, name in names.items()}

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        """See `Log.newest`. A damaged one is left out."""
        keep = topic_of(topic).keep_newest
        name, wanted = copy_of(self._link.prefix, topic), None if key is None else key.encode()
        kept: dict[bytes, deque[Stored]] = {}
        with self._looks:
            self._refuse_closed()
            for record in self._looking.between(name, 0, self._looking.ends([name])[name]):
                if record.key and wanted in (None, record.key):
                    kept.setdefault(record.key, deque(maxlen=keep)).append(record)
        records = sorted((record for each in kept.values() for record in each), key=lambda one: one.offset)
        return [one for one in map(self._batch, records) if isinstance(one, Batch)]

    def newest_at(self, topic: str, key: str, time_ms: int) -> Batch | None:
        """See `Log.newest_at`. A damaged one is left out."""
        topic_of(topic)
        name, back = name_of(self._link.prefix, topic), FIRST_LOOK_MS
        with self._looks:
            self._refuse_closed()
            end = self._looking.ends([name])[name]
            while end > 0:
                start = self._looking.offset_at([name], time_ms - back)[name]
                if found := self._last(self._looking.between(name, start, end), key, time_ms):
                    return found
                if back > time_ms:
                    break
                end, back = start, 10 * back
        return None

    def retain(self, now_ms: int) -> int:
        """Nothing: the brokers do it."""
        return 0

    def close(self) -> None:
        """See `Log.close`."""
        with self._reads, self._looks, self._writes:
            self._closed = True
            self._following.close()
            self._looking.close()
            if self._writer is not None:
                self._writer.close()

    def _records(self, batch: Batch) -> Iterable[Record]:
        """Of a topic with a copy two of each. Raises ValueError."""
        topic, prefix = topic_of(batch.topic), self._link.prefix
        for part in split(batch, MAX_RECORD_BYTES):
            key = part.key.encode() if topic.keep_newest else None
            record = Record(name_of(prefix, part.topic), key, encode(part), part.time_ms)
            yield record
            if has_copy(topic):
                yield record._replace(topic=copy_of(prefix, part.topic))

    def _batch(self, record: Stored) -> Batch | Damage:
        where = f"kafka {record.topic}, partition {self._partition}, offset {record.offset}"
        try:
            batch = decode(record.value)
        except RecordDamaged as error:
            return Damage(where, error.problem)
        if record.topic not in (
            name_of(self._link.prefix, batch.topic),
            copy_of(self._link.prefix, batch.topic),
        ):
            return Damage(where, f"it is a record of {batch.topic}")
        return batch

    def _last(self, records: Iterable[Stored], key: str, time_ms: int) -> Batch | None:
        last = None
        for record in records:
            if record.key == key.encode():
                batch = self._batch(record)
                if isinstance(batch, Batch) and batch.time_ms <= time_ms:
                    last = batch
        return last

    def _refuse_closed(self) -> None:
        if self._closed:
            raise LogFailed(f"the log at kafka {self._link.address} is closed")
