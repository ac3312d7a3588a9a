"""A queue with work in it: records of a Kafka topic, and a consumer group that is slow to read them."""

import threading
from typing import Any, Self

from tests.e2e.components.kafka_client import KafkaConsumer, KafkaProducer, TopicPartition

BEAT_S = 0.1


def produce(address: str, topic: str, count: int) -> None:
    """Append `count` small records, acknowledged."""
    producer = KafkaProducer(bootstrap_servers=address)
    try:
        for number in range(count):
            producer.send(topic, str(number).encode())
        producer.flush(timeout=30)
    finally:
        producer.close()


class SlowGroup:
    """A consumer group of one that reads at most `rate` records a second, and commits what it read."""

    def __init__(self, address: str, topic: str, group: str) -> None:
        self.rate = 0.0
        self._address, self._topic, self._group = address, topic, group
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._address,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            self._consume(consumer)
        finally:
            consumer.close()

    def _consume(self, consumer: Any) -> None:
        partition = TopicPartition(self._topic, 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        consumer.position(partition)
        consumer.commit()  # a group that never committed is taken for a misspelled one
        owed = 0.0
        while not self._ending.wait(BEAT_S):
            owed += self.rate * BEAT_S
            if owed >= 1 and (read := consumer.poll(timeout_ms=1000, max_records=int(owed))):
                owed -= sum(len(records) for records in read.values())
                consumer.commit()
