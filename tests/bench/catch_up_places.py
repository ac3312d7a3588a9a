"""Where the past of `tests.bench.catch_up` is written and read from."""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kafka import KafkaProducer

from cme.core.batch import Batch
from cme.core.settings import KafkaLink
from cme.log.embedded import EmbeddedLog
from cme.log.kafka.layout import name_of
from cme.log.kafka.stamp import Stamp, new_writer
from cme.log.protocol import Log
from cme.log.record import encode
from tests.contract.kafka_log import KafkaLog, establish, link_to
from tests.e2e.components.kafka import Kafka

PARTITION, SEND_SECONDS = 0, 60


class Appends(Protocol):
    def append(self, batches: Sequence[Batch]) -> object: ...


class Place(NamedTuple):
    folder: Path
    past: Appends
    log: Log
    """For reading what was written."""


@contextlib.contextmanager
def embedded() -> Iterator[Place]:
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.closing(EmbeddedLog.open(Path(name), writable=True)) as log,
    ):
        yield Place(Path(name), log, log)


@contextlib.contextmanager
def kafka() -> Iterator[Place]:
    """A broker of its own, with one partition."""
    with tempfile.TemporaryDirectory() as name, Kafka(Path(name)) as broker:
        establish(link := link_to(broker.address, Path(name)))
        with contextlib.closing(KafkaLog(link, [PARTITION])) as log, contextlib.closing(_Past(link)) as past:
            yield Place(Path(name), past, log)


PLACES = {"embedded": embedded, "kafka": kafka}


class _Past:
    """Writes records of a former time as a collector has written them then, but for its transactions: their marks would be of
    today, and the broker finds what is of a time by the newest of both."""

    def __init__(self, link: KafkaLink) -> None:
        self._link, self._writer, self._order = link, new_writer(), time.time_ns() // 1000
        self._producer = KafkaProducer(bootstrap_servers=link.address)

    def append(self, batches: Sequence[Batch]) -> None:
        """Of topics that are not compacted. Raises KafkaError."""
        for sent in [self._send(batch) for batch in batches]:
            sent.get(timeout=SEND_SECONDS)

    def close(self) -> None:
        self._producer.close()

    def _send(self, batch: Batch) -> Any:
        self._order += 1
        headers = Stamp(self._writer, self._order).headers()
        topic = name_of(self._link.prefix, batch.topic)
        return self._producer.send(topic, encode(batch), None, headers, PARTITION, batch.time_ms)
