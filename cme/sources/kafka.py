"""Kafka: how much a consumer group has yet to read of a topic, in records, or how many are written to it.

Arrivals are the end offsets, counters per partition. A backlog is the end offset less the committed one; a partition
without a commit counts from its beginning: what a group that starts with `auto.offset.reset=earliest` has before it.
The client blocks, so it works in a thread, one read at a time; after an error it is dropped and the next read connects
anew.

The thread is the source's own: a broker that hangs holds it for longer than a tick, and must not use up the
threads in which the log is written.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kafka import TopicPartition

from cme.core.readings import Harvest, Reading
from cme.kafka import ERRORS, Admin, cause
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
    def __init__(self, topic: str, group: str | None, address: str) -> None:
        """`group` is whose backlog is measured; None: arrivals are."""
        self._topic, self._group, self._address = topic, group, address
        self._client: Any = None
        self._thread = ThreadPoolExecutor(1, "kafka")  # ends with this object
        self._pending: Future[Offsets] | None = None

    async def read(self, now_ms: int, timeout_s: float) -> Harvest:
        if self._pending is not None and not self._pending.done():
            raise SourceFailed(f"kafka at {self._address}: an earlier question is still unanswered")
        self._pending = self._thread.submit(self._offsets)
        offsets = await asyncio.wrap_future(self._pending)
        if self._group is None:
            return arrivals(offsets, now_ms)
        return backlog(self._topic, self._group, offsets, now_ms)

    async def close(self) -> None:
        await asyncio.wrap_future(self._thread.submit(self._discard))

    def _offsets(self) -> Offsets:
        try:
            return self._ask()
        except ERRORS as error:
            self._discard()
            raise SourceFailed(f"kafka at {self._address}: {cause(error)}") from None

    def _ask(self) -> Offsets:
        if self._client is None:
            self._client = Admin(
                bootstrap_servers=self._address.split(","),
                client_id="tidecast",
                request_timeout_ms=TIMEOUT_MS,
                bootstrap_timeout_ms=TIMEOUT_MS,
            )
        described = self._client.describe_topics([self._topic])[0]
        partitions = [TopicPartition(self._topic, p["partition_index"]) for p in described["partitions"]]
        if described["error_code"] or not partitions:
            raise SourceFailed(f"kafka at {self._address} has no topic {self._topic!r}")
        ends = self._listed(partitions, _LATEST)
        if self._group is None:
            return Offsets(ends, {}, {})
        starts = self._listed(partitions, _EARLIEST)
        committed = self._client.list_group_offsets({self._group: None})[self._group]
        return Offsets(
            ends,
            starts,
            {p.partition: found.offset for p, found in committed.items() if p.topic == self._topic},
        )

    def _listed(self, partitions: Sequence[TopicPartition], which: int) -> dict[int, int]:
        """By partition the offset that a sentinel of ListOffsets stands for."""
        found = self._client.list_partition_offsets(dict.fromkeys(partitions, which), timeout_ms=TIMEOUT_MS)
        return {partition.partition: one.offset for partition, one in found.items()}

    def _discard(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def arrivals(offsets: Offsets, now_ms: int) -> Harvest:
    """The end offsets as counters: each record moves one of them on by one. A topic that was made anew begins at 0."""
    readings = [Reading(str(partition), float(end), now_ms) for partition, end in offsets.end.items()]
    return Harvest(readings, {"": len(offsets.end)}, counters=True)


def backlog(topic: str, group: str, offsets: Offsets, now_ms: int) -> Harvest:
    """Readings per partition. Raises SourceFailed for a group that never committed: it may not exist at all."""
    known = {partition: offset for partition, offset in offsets.committed.items() if offset >= 0}
    if not known:
        raise SourceFailed(f"group {group!r} has never committed an offset of topic {topic!r}")
    readings, failures = [], []
    for partition, end in offsets.end.items():
        first = offsets.first.get(partition, 0)
        # A commit before the first record: what lay between is gone with the topic's retention.
        left = end - max(first, known.get(partition, first))
        if left < 0:
            failures.append(
                f"group {group!r} is ahead of partition {partition} of {topic!r}: was it made anew?"
            )
        else:
            readings.append(Reading(str(partition), float(left), now_ms))
    return Harvest(readings, {"": len(offsets.end)}, failures)
