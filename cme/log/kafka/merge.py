"""The order of several topics: each writer's records come as it wrote them.

A transaction becomes visible in its topics one after the other, but in all of them before a record of the writer's next one is
visible anywhere (https://cwiki.apache.org/confluence/display/KAFKA/KIP-98+-+Exactly+Once+Delivery+and+Transactional+Messaging).
So a reader asks for the ends three times: what is committed, what is written, and what is committed once all that is.
Whatever lies below the first ends has all its predecessors below the last: they were written when it was committed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cme.log.kafka.stamp import Stamp

Place = tuple[str, int]
"""A topic as the cluster knows it, and a partition of it."""


class Head(NamedTuple):
    """The next record of a partition of a topic; `settled` when it lies below the first ends."""

    place: Place
    stamp: Stamp
    settled: bool


def next_of(heads: Sequence[Head]) -> Head | None:
    """Which of these is the next of all. None: a predecessor may not be seen yet."""
    first = min((head for head in heads if head.settled), key=_order, default=None)
    if first is None:
        return None
    before = [
        head
        for head in heads
        if head.stamp.writer == first.stamp.writer and head.stamp.order < first.stamp.order
    ]
    return min(before, key=_order, default=first)


def _order(head: Head) -> int:
    return head.stamp.order
