"""Reads partitions: what is committed, several topics as one row, from any position."""

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from cme.core.settings import KafkaLink
from cme.kafka import ERRORS, Consumer
from cme.log.kafka import connection
from cme.log.kafka.layout import all_topics
from cme.log.kafka.merge import Head, next_of
from cme.log.kafka.stamp import Stamp, stamp_in
from cme.log.protocol import CHUNK_BYTES, LogFailed
from cme.log.record import RecordDamaged

POLL_MS = 100
SILENCE_SECONDS = 10
"""Of a broker that says there are records and sends none."""
PATIENCE_SECONDS = 0.1
"""Longer than a transaction of somebody who lives."""
PAUSE_SECONDS = 0.002

_UNSTAMPED = Stamp(b"", 0)
"""Of a record that none of ours has written: it comes first, so that it holds nothing up."""


class Stored(NamedTuple):
    """A record as the broker has it."""

    place: TopicPartition  # the topic as the cluster knows it
    offset: int
    stamp: Stamp
    key: bytes
    value: bytes


@dataclass(slots=True)
class _Tail:
    """How far one topic is read. `position` is where its reader stands; between it and `fetched` is what waits in `records`,
    and what is no record: marks of transactions."""

    place: TopicPartition
    position: int
    fetched: int
    records: deque[Stored] = field(default_factory=deque)

    def head(self, settled: int) -> Head:
        first = self.records[0]
        return Head(self.place, first.stamp, first.offset < settled)


Ends = Mapping[TopicPartition, int]
"""An offset in each."""


class Reader:
    """Of some partitions of all topics. Not for several threads at a time. All raise LogFailed."""

    def __init__(self, link: KafkaLink, partitions: Sequence[int]) -> None:
        self._link = link
        topics = all_topics(link.prefix, link.replication)
        self._places = [TopicPartition(topic, partition) for topic in topics for partition in partitions]
        self._consumer: Consumer | None = None
        self._uncommitted: Consumer | None = None
        self._tails: dict[TopicPartition, _Tail] = {}

    def close(self) -> None:
        consumers = self._consumer, self._uncommitted
        self._consumer, self._uncommitted, self._tails = None, None, {}
        for consumer in consumers:
            if consumer is not None:
                with contextlib.suppress(*ERRORS):
                    consumer.close(timeout_ms=1000)

    def read(self, positions: Ends, limit: int) -> list[Stored]:
        """The next records behind a position in each place, in the order of their writing; `limit` at the most."""
        with self._asking():
            return self._read(positions, limit)

    def between(self, place: TopicPartition, start: int, end: int) -> Iterator[Stored]:
        """The records of one place with offsets in [start, end)."""
        position = start
        while position < end and (found := self.read({place: position}, 1000)):
            yield from (record for record in found if record.offset < end)
            position = found[-1].offset + 1

    def offsets_at(self, places: Sequence[TopicPartition], time_ms: int) -> Ends:
        """Of the first record of each that is of this time or later, else its end."""
        with self._asking():
            found = self._connected().offsets_for_times(dict.fromkeys(places, max(0, time_ms)))
        ends = self.ends(places)
        return {place: found[place].offset if found.get(place) else ends[place] for place in places}

    def ends(self, places: Sequence[TopicPartition]) -> Ends:
        """The offsets behind the last records that are committed."""
        with self._asking():
            return dict(self._connected().end_offsets(places))

    def await_visible(self, written: Ends) -> None:
        """Until it is decided of all records below these offsets whether they are committed."""
        self._decided(written)

    def _decided(self, written: Ends) -> tuple[Ends, set[int]]:
        """The ends once that is decided, and the partitions where it is not yet: somebody was killed amid a transaction there,
        and the other partitions do not wait for that."""
        begun = time.monotonic()
        while True:
            ends = self.ends(tuple(written))
            undecided = {place.partition for place, end in ends.items() if end < written[place]}
            waited = time.monotonic() - begun
            if not undecided or (waited > PATIENCE_SECONDS and undecided != {p.partition for p in written}):
                return ends, undecided
            if waited > SILENCE_SECONDS:
                raise LogFailed(
                    f"kafka at {self._link.address}: a transaction is neither committed nor given up; it will be in time"
                )
            time.sleep(PAUSE_SECONDS)

    def _written(self, places: Sequence[TopicPartition]) -> Ends:
        """The offsets behind the last records, committed or not."""
        with self._asking():
            if self._uncommitted is None:
                self._uncommitted = self._new_consumer(isolation_level="read_uncommitted")
            return dict(self._uncommitted.end_offsets(places))

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """After an error there is another consumer, for it may know nothing of a broker that has come back."""
        with connection.told_clearly(self._link, "can't be read"):
            try:
                yield
            except BaseException:
                self.close()
                raise

    def _read(self, positions: Ends, limit: int) -> list[Stored]:
        tails, places = self._at(positions), tuple(positions)
        settled = self.ends(places)
        behind = [tail.place for tail in tails if tail.position > settled[tail.place]]
        if behind:
            raise LogFailed(
                f"kafka at {self._link.address}: {behind[0].topic} ends before what was read of it; wait until its replicas "
                "are complete, or start anew if it was deleted"
            )
        if all(tail.fetched >= settled[tail.place] and not tail.records for tail in tails):
            return []
        ends = settled
        if len(tails) > 1:  # of one topic there is one order, which needs no second look
            ends, undecided = self._decided(self._written(places))
            tails = [tail for tail in tails if tail.place.partition not in undecided]
        found: list[Stored] = []
        size = 0
        while len(found) < limit and size <= CHUNK_BYTES and (record := self._next(tails, settled, ends)):
            found.append(record)
            size += len(record.value)
        return found

    def _next(self, tails: Sequence[_Tail], settled: Ends, ends: Ends) -> Stored | None:
        self._fetch([tail for tail in tails if not tail.records and tail.fetched < ends[tail.place]], ends)
        first = next_of([tail.head(settled[tail.place]) for tail in tails if tail.records])
        if first is None:
            return None
        tail = self._tails[first.place]
        record = tail.records.popleft()
        tail.position = record.offset + 1
        return record

    def _fetch(self, empty: Sequence[_Tail], ends: Ends) -> None:
        """Until each of these has a record, or is at its end."""
        if not empty:
            return
        consumer, places = self._connected(), [tail.place for tail in empty]
        consumer.resume(*places)
        until = time.monotonic() + SILENCE_SECONDS
        waiting = list(empty)
        while waiting:
            if time.monotonic() > until:
                raise KafkaTimeoutError(f"no records of {waiting[0].place.topic} came")
            for place, records in consumer.poll(timeout_ms=POLL_MS).items():
                self._tails[place].records += [_stored(place, record) for record in records]
            for tail in empty:
                tail.fetched = max(tail.fetched, consumer.position(tail.place, timeout_ms=1000) or 0)
            waiting = [tail for tail in waiting if not tail.records and tail.fetched < ends[tail.place]]
        consumer.pause(*places)

    def _at(self, positions: Ends) -> list[_Tail]:
        """The tails of these places, each where its reader stands."""
        consumer = self._connected()
        for place, position in positions.items():
            known = self._tails.get(place)
            if known is None or known.position != position:
                consumer.seek(place, position)
                self._tails[place] = _Tail(place, position, position)
        return [self._tails[place] for place in positions]

    def _connected(self) -> Consumer:
        if self._consumer is None:
            self._consumer = self._new_consumer()
        return self._consumer

    def _new_consumer(self, **config: Any) -> Consumer:
        """With all topics known to it, or it would leave out those that it has not met when several are asked for."""
        made = connection.consumer(self._link, **config)
        made.assign(self._places)
        made.pause(*self._places)
        return made


def _stored(place: TopicPartition, record: Any) -> Stored:
    try:
        stamp = stamp_in(record.headers)
    except RecordDamaged:
        stamp = _UNSTAMPED
    return Stored(place, record.offset, stamp, record.key or b"", record.value or b"")
