"""Who has which partitions in a role: one consumer group a role shares them out among its processes.

The group follows the topic `samples` and reads nothing: a partition of it stands for the role in that partition. A process that
is killed or stands still loses its partitions after SESSION_MS; one that ends says so, and they move at once. Between two
looks a process may think that it has a partition which it has lost: what it writes then is refused by the broker, for
the new owner's producer has put an end to its own (producer.py).
"""

import threading
from collections.abc import Iterable

from kafka import ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from cme.core.settings import KafkaLink
from cme.kafka import ERRORS, Consumer
from cme.log.kafka import connection
from cme.log.kafka.layout import name_of
from cme.log.protocol import LogFailed

SESSION_MS = 6_000
"""The least that brokers allow by default (group.min.session.timeout.ms)."""
LOOK_MS = 1_000
"""A look lasts so long. kafka-python asks the group anew when its answer came between two looks, so there may be no pause
between them: else the members would never agree."""

_NOT_OURS = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


class Membership:
    """Of this process in a role. Safe to call from several threads; they take turns."""

    def __init__(self, link: KafkaLink, role: str) -> None:
        self._link, self._role = link, role
        self._topic = name_of(link.prefix, "samples")
        self._turn = threading.Lock()
        self._consumer: Consumer | None = None
        self._shares: frozenset[int] | None = None
        self._seen = 0
        self.term = 0
        """Another one after we were out of the group, though the same may be ours: others may have written meanwhile, and what
        we knew of our partitions means nothing any more."""

    def look(self) -> frozenset[int] | None:
        """The partitions that are ours now, as of the last time that all members agreed; None before the first, and none at all
        once after each change of the term. To be called
        again and again, without a pause: see LOOK_MS. Raises LogFailed; what was ours may then be another's."""
        with self._turn, connection.told_clearly(self._link, f"no partitions of the {self._role}s are known"):
            try:
                self._joined().poll(timeout_ms=LOOK_MS)
            except ERRORS:
                self._leave()
                raise
        if self._seen != self.term:
            self._seen = self.term
            return frozenset()
        return self._shares

    def holds(self, partition: int, term: int) -> bool:
        """Whether the brokers agree at this moment that a partition is ours, and has been since that term began: they take a
        commit of current members only.

        Raises LogFailed when they can't be asked."""
        with self._turn, connection.told_clearly(self._link, f"no partitions of the {self._role}s are known"):
            if self._consumer is None or partition not in (self._shares or ()) or term != self.term:
                return False
            place = TopicPartition(self._topic, partition)
            try:
                self._consumer.commit({place: OffsetAndMetadata(0, "", -1)}, timeout_ms=connection.TIMEOUT_MS)
            except _NOT_OURS:
                return False
            return True

    def close(self) -> None:
        """Leave, so that others have our partitions at once."""
        with self._turn:
            self._leave()

    def agreed(self, places: Iterable[TopicPartition]) -> None:
        """The group has agreed on what is ours."""
        self._shares = frozenset(place.partition for place in places)

    def lost(self) -> None:
        """The group went on without us."""
        self.term += 1

    def _joined(self) -> Consumer:
        if self._consumer is None:
            self._consumer = connection.consumer(
                self._link,
                group_id=f"{self._link.prefix}-{self._role}",
                session_timeout_ms=SESSION_MS,
                heartbeat_interval_ms=SESSION_MS // 3,
                partition_assignment_strategy=[StickyPartitionAssignor],
            )
            self._consumer.subscribe([self._topic], listener=_Listener(self, self._consumer))
        return self._consumer

    def _leave(self) -> None:
        consumer, self._consumer, self._shares = self._consumer, None, None
        if consumer is not None:
            try:
                consumer.close(timeout_ms=1000)
            except ERRORS as error:
                raise LogFailed(f"kafka at {self._link.address}: its group could not be left") from error


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """What is revoked while the members agree anew mostly comes back: it counts when they have agreed."""

    def __init__(self, membership: Membership, consumer: Consumer) -> None:
        self._membership, self._consumer = membership, consumer

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        pass

    def on_partitions_lost(self, lost: set[TopicPartition]) -> None:
        self._membership.lost()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.pause(*assigned)
        self._membership.agreed(assigned)
