"""The protocol of the log on partitions of Kafka's topics."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kafka import TopicPartition

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.core.settings import KafkaLink
from cme.log.kafka.consumer import Reader, Stored
from cme.log.kafka.layout import copy_of, has_copy, name_of
from cme.log.kafka.producer import Record, Writer
from cme.log.protocol import MAX_RECORD_BYTES, Chunk, Damage, LogFailed, Position
from cme.log.record import RecordDamaged, decode, encode, split
from cme.log.topics import known, topic_of

OF_PARTITION = ("forecasts", "trust", "prior", "state")
"""Topics whose keys are of blocks or of an engine, and the same in each partition; elsewhere they are names."""

FIRST_LOOK_MS = 10 * MINUTE_MS
"""How far `newest_at` looks back at first; then ten times as far, and so on."""


class KafkaLog:
    """Safe to call from several threads; they take turns. Every call raises LogFailed when it can't be done.

    Positions are offsets by `TOPIC/PARTITION`. What is old is removed by the brokers, by each topic's configuration (layout.py).
    """

    def __init__(
        self,
        link: KafkaLink,
        partitions: Sequence[int],
        writer: str | None = None,
        holds: Callable[[], bool] | None = None,
    ) -> None:
        """`writer` names who writes the only partition, one at a time: a new one of the same name puts an end to the one before;
        None only reads. `holds`: see `Writer`. The topics must be there. Raises LogFailed."""
        self._link, self._partitions = link, partitions
        self._following, self._looking = Reader(link, partitions), Reader(link, partitions)
        self._writer = None
        if writer is not None:
            (partition,) = partitions
            self._writer = Writer(link, f"{link.prefix}-{writer}-{partition}", partition, holds)
        self._reads, self._looks, self._writes = threading.RLock(), threading.RLock(), threading.RLock()
        self._closed = False

    @property
    def fenced(self) -> bool:
        """Whether another writes now: this log takes nothing any more."""
        return self._writer is not None and self._writer.fenced

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
        return {
            _key(topic, place): end
            for topic in {batch.topic for batch in batches}
            for place, end in ends.items()
            if place.topic == name_of(self._link.prefix, topic)
        }

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        """See `Log.read`. Goes on behind damaged records until it has a batch or reaches the end."""
        keys = {place: _key(topic, place) for topic in known(topics) for place in self._places(topic)}
        position = {key: after.get(key, 0) for key in keys.values()}
        batches: list[Batch] = []
        damages: list[Damage] = []
        with self._reads:
            self._refuse_closed()
            while not batches:
                found = self._following.read({place: position[key] for place, key in keys.items()}, limit)
                if not found:
                    break
                position |= {keys[record.place]: record.offset + 1 for record in found}
                for one in map(self._batch, found):
                    (batches if isinstance(one, Batch) else damages).append(one)  # type: ignore[arg-type]
        return Chunk(batches, position, damages)

    def position_at(self, topics: Sequence[str], time_ms: int) -> Position:
        """See `Log.position_at`."""
        keys = {place: _key(topic, place) for topic in known(topics) for place in self._places(topic)}
        with self._looks:
            self._refuse_closed()
            found = self._looking.offsets_at(tuple(keys), time_ms)
        return {key: found[place] for place, key in keys.items()}

    def newest(self, topic: str, key: str | None = None) -> Sequence[Batch]:
        """See `Log.newest`. A damaged one is left out."""
        keep, wanted = topic_of(topic).keep_newest, None if key is None else key.encode()
        kept: dict[tuple[int, bytes], deque[Stored]] = {}
        with self._looks:
            self._refuse_closed()
            for place, end in self._looking.ends(self._places(topic, copy_of)).items():
                for record in self._looking.between(place, 0, end):
                    if record.key and wanted in (None, record.key):
                        of = kept.setdefault((place.partition, record.key), deque(maxlen=keep))
                        of.append(record)
        records = sorted((one for each in kept.values() for one in each), key=lambda one: one.stamp.order)
        return [one for one in map(self._batch, records) if isinstance(one, Batch)]

    def newest_at(self, topic: str, key: str, time_ms: int) -> Batch | None:
        """See `Log.newest_at`. A damaged one is left out."""
        topic_of(topic)
        with self._looks:
            self._refuse_closed()
            found = [self._newest_at(place, key, time_ms) for place in self._places(topic)]
        return max((one for one in found if one), key=lambda batch: batch.time_ms, default=None)

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

    def _places(self, topic: str, named: Callable[[str, str], str] = name_of) -> Sequence[TopicPartition]:
        return [TopicPartition(named(self._link.prefix, topic), partition) for partition in self._partitions]

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
        """Of several partitions a key that each has for itself is told with its partition."""
        where = f"kafka {record.place.topic}, partition {record.place.partition}, offset {record.offset}"
        try:
            batch = decode(record.value)
        except RecordDamaged as error:
            return Damage(where, error.problem)
        if record.place.topic not in (
            name_of(self._link.prefix, batch.topic),
            copy_of(self._link.prefix, batch.topic),
        ):
            return Damage(where, f"it is a record of {batch.topic}")
        if len(self._partitions) > 1 and batch.topic in OF_PARTITION:
            return replace(batch, key=f"{record.place.partition}/{batch.key}")
        return batch

    def _newest_at(self, place: TopicPartition, key: str, time_ms: int) -> Batch | None:
        """Looking back further and further."""
        end, back = self._looking.ends([place])[place], FIRST_LOOK_MS
        while end > 0:
            start = self._looking.offsets_at([place], time_ms - back)[place]
            if found := self._last(self._looking.between(place, start, end), key, time_ms):
                return found
            if back > time_ms:
                break
            end, back = start, 10 * back
        return None

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


def _key(topic: str, place: TopicPartition) -> str:
    """Of a position."""
    return f"{topic}/{place.partition}"
