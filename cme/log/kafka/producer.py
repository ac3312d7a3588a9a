"""Writes a partition: each append is a transaction, and each writer puts an end to the one before it.

The broker lets only the newest producer of a transactional id write (KIP-98): what a former one still sends is refused.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kafka import KafkaProducer, TopicPartition
from kafka.errors import InvalidProducerEpochError, KafkaTimeoutError, ProducerFencedError

from cme.core.settings import KafkaLink
from cme.kafka import ERRORS
from cme.log.kafka import connection
from cme.log.kafka.consumer import Ends
from cme.log.kafka.stamp import Stamp, new_writer
from cme.log.protocol import LogFailed, LogFenced

COMMIT_SECONDS = 5
SEND_SECONDS = 5
"""For all records of an append together."""

_FENCES = (ProducerFencedError, InvalidProducerEpochError)


class Record(NamedTuple):
    """`topic` as the cluster knows it; `key` None where nothing is compacted."""

    topic: str
    key: bytes | None
    value: bytes
    time_ms: int


class Writer:
    """Of one partition. Not for several threads at a time."""

    def __init__(
        self,
        link: KafkaLink,
        transactional_id: str,
        partition: int,
        holds: Callable[[], bool] | None = None,
    ) -> None:
        """`holds` tells whether the partition is ours still: asked before a producer of ours is begun anew after a failure,
        which would put an end to another's. Raises LogFailed."""
        self._link, self._id, self._partition = link, transactional_id, partition
        self._holds = holds or (lambda: True)
        self.fenced = False
        """Another has written, or may have: what is known of the partition means nothing any more, and nothing is written."""
        self._name, self._order = new_writer(), 0
        self._producer: KafkaProducer | None = None
        with connection.told_clearly(link, "can't be written"):
            self._producer = self._begun()

    def append(self, records: Sequence[Record]) -> Ends:
        """Write all or none; of each topic the offset behind the last. Raises LogFailed, after which it is not known whether they
        are written unless it is LogFenced."""
        with connection.told_clearly(self._link, "can't be written"):
            try:
                return self._transaction(records)
            except ERRORS as error:
                self.close()
                # Who stood still may have lost the partition without a fence: an answer that came too late looks like none.
                self.fenced = isinstance(error, _FENCES) or not self._held()
                self._refuse_fenced()
                raise

    def close(self) -> None:
        """What was begun and not committed is taken back by the broker, or by the next writer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer._sender.force_close()  # close() would wait for a broker that may be gone
            with contextlib.suppress(*ERRORS):
                producer.close(timeout=1)

    def _transaction(self, records: Sequence[Record]) -> Ends:
        self._refuse_fenced()
        if self._producer is None:
            self._producer = self._taken_up_again()
        producer = self._producer
        producer.begin_transaction()
        sent = [(record.topic, self._send(producer, record)) for record in records]
        until = time.monotonic() + SEND_SECONDS
        ends = {
            TopicPartition(topic, self._partition): int(
                future.get(timeout=max(0.0, until - time.monotonic())).offset
            )
            + 1
            for topic, future in sent
        }
        self._commit(producer)
        return ends

    def _taken_up_again(self) -> KafkaProducer:
        """After a failure. Another may have come meanwhile: who holds the partition is asked before, and again as it may have
        changed until then. Raises KafkaError, LogFenced."""
        self._refuse_unheld()
        self._producer = self._begun()
        self._refuse_unheld()
        return self._producer

    def _refuse_unheld(self) -> None:
        self.fenced |= not self._holds()
        self._refuse_fenced()

    def _refuse_fenced(self) -> None:
        if self.fenced:
            self.close()
            raise LogFenced(
                f"kafka at {self._link.address}: another process writes as {self._id}; this one has been replaced"
            ) from None

    def _held(self) -> bool:
        """Also where nobody can say."""
        try:
            return self._holds()
        except LogFailed:
            return True

    def _begun(self) -> KafkaProducer:
        producer = connection.producer(self._link, self._id)
        try:
            producer.init_transactions()
        except BaseException:
            producer._sender.force_close()
            raise
        return producer

    def _send(self, producer: KafkaProducer, record: Record) -> Any:
        self._order = max(self._order + 1, time.time_ns() // 1000)
        headers = Stamp(self._name, self._order).headers()
        return producer.send(
            record.topic, record.value, record.key, headers, self._partition, max(0, record.time_ms)
        )

    def _commit(self, producer: KafkaProducer) -> None:
        """As KafkaProducer.commit_transaction, which would wait for ever."""
        result = producer._transaction_manager.begin_commit()
        producer._sender.wakeup()
        if not result.wait(timeout_ms=COMMIT_SECONDS * 1000):
            raise KafkaTimeoutError("a transaction is not committed in time")
