"""Kafka: how much a consumer group has yet to read of a topic, in records.

Per partition the end offset less the committed one. A partition without a commit counts from its beginning:
what a group that starts with `auto.offset.reset=earliest` has before it. The client blocks, so it works in a
thread, one read at a time; after an error it is dropped and the next read connects anew.
"""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError

from cme.core.readings import Harvest, Reading
from cme.sources.protocol import SourceFailed

TIMEOUT_MS = 5_000
_LATEST, _EARLIEST = -1, -2  # ListOffsets' own sentinels


@dataclass(frozen=True, slots=True)
class Offsets:
    """By partition; a committed offset below 0 means none."""

    end: Mapping[int, int]
    first: Mapping[int, int]
    committed: Mapping[int, int]


class Kafka:
    def __init__(self, topic: str, group: str, address: str) -> None:
        self._topic, self._group, self._address = topic, group, address
        self._client: Any = None
        self._turn = threading.Lock()

    async def read(self, now_ms: int) -> Harvest:
        offsets = await asyncio.to_thread(self._offsets)
        return backlog(self._topic, self._group, offsets, now_ms)

    async def close(self) -> None:
        await asyncio.to_thread(self._drop)

    def _offsets(self) -> Offsets:
        with self._turn:
            try:
                return self._ask()
            except (KafkaError, OSError, ValueError, AssertionError) as error:
                self._discard()
                raise SourceFailed(f"kafka at {self._address}: {_cause(error)}") from None

    def _ask(self) -> Offsets:
        if self._client is None:
            self._client = KafkaAdminClient(
                bootstrap_servers=self._address.split(","),
                client_id="tidecast",
                request_timeout_ms=TIMEOUT_MS,
                bootstrap_timeout_ms=TIMEOUT_MS,
            )
        described = self._client.describe_topics([self._topic])[0]
        partitions = [TopicPartition(self._topic, p["partition_index"]) for p in described["partitions"]]
        if described["error_code"] or not partitions:
            raise SourceFailed(f"kafka at {self._address} has no topic {self._topic!r}")
        ends = self._client.list_partition_offsets(dict.fromkeys(partitions, _LATEST), timeout_ms=TIMEOUT_MS)
        starts = self._client.list_partition_offsets(
            dict.fromkeys(partitions, _EARLIEST), timeout_ms=TIMEOUT_MS
        )
        committed = self._client.list_group_offsets({self._group: None})[self._group]
        return Offsets(
            {p.partition: found.offset for p, found in ends.items()},
            {p.partition: found.offset for p, found in starts.items()},
            {p.partition: found.offset for p, found in committed.items() if p.topic == self._topic},
        )

    def _drop(self) -> None:
        with self._turn:
            self._discard()

    def _discard(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def backlog(topic: str, group: str, offsets: Offsets, now_ms: int) -> Harvest:
    """Readings per partition. Raises SourceFailed for a group that never committed: it may not exist at all."""
    known = {partition: offset for partition, offset in offsets.committed.items() if offset >= 0}
    if not known:
        raise SourceFailed(f"group {group!r} has never committed an offset of topic {topic!r}")
    readings, failures = [], []
    for partition, end in offsets.end.items():
        left = end - known.get(partition, offsets.first.get(partition, 0))
        if left < 0:
            failures.append(
                f"group {group!r} is ahead of partition {partition} of {topic!r}: was it made anew?"
            )
        else:
            readings.append(Reading(str(partition), float(left), now_ms))
    return Harvest(readings, {"": len(offsets.end)}, failures)


def _cause(error: Exception) -> str:
    """The kind of error only: kafka-python's texts hold ages and ids that change while the cause does not."""
    return type(error).__name__
