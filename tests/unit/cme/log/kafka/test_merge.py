"""Readers that look at any moment see each writer's records in the order of their writing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from cme.log.kafka.merge import Head, next_of
from cme.log.kafka.stamp import Stamp

TOPICS = ("a", "b", "c")
Step = tuple[bytes, Sequence[str]]
"""A transaction: who, and the topics of its records."""

steps = st.lists(
    st.tuples(st.sampled_from([b"one", b"other"]), st.lists(st.sampled_from(TOPICS), min_size=1, max_size=4))
)


@dataclass
class Cluster:
    """What is visible: of a transaction one topic after the other, in an order that is drawn."""

    topics: dict[str, list[Stamp]] = field(default_factory=lambda: {topic: [] for topic in TOPICS})
    _orders: int = 0

    def parts(self, step: Step) -> list[tuple[str, list[Stamp]]]:
        """What becomes visible at once, by topic."""
        writer, topics = step
        stamps = {topic: list[Stamp]() for topic in TOPICS}
        for topic in topics:
            self._orders += 1
            stamps[topic].append(Stamp(writer, self._orders))
        return [(topic, found) for topic, found in stamps.items() if found]

    def ends(self) -> dict[str, int]:
        return {topic: len(records) for topic, records in self.topics.items()}


def read(
    cluster: Cluster, position: dict[str, int], settled: dict[str, int], ends: dict[str, int]
) -> list[Stamp]:
    """What a reader makes of two looks at the ends, moving its position on."""
    found: list[Stamp] = []
    while True:
        heads = [
            Head((topic, 0), cluster.topics[topic][position[topic]], position[topic] < settled[topic])
            for topic in TOPICS
            if position[topic] < ends[topic]
        ]
        first = next_of(heads)
        if first is None:
            return found
        position[first.place[0]] += 1
        found.append(first.stamp)


@given(steps, st.data())
def test_each_writers_records_come_in_their_order_whenever_a_reader_looks(
    history: list[Step], data: st.DataObject
) -> None:
    """A look begins with the first ends, and reads at a moment when all that was written then is decided."""
    cluster, position, seen = Cluster(), dict.fromkeys(TOPICS, 0), list[Stamp]()
    begun: dict[str, int] | None = None  # the first ends of a look
    decided = False
    for step in history:
        for topic, stamps in data.draw(st.permutations(cluster.parts(step))):
            if begun is None and data.draw(st.booleans()):
                begun, decided = cluster.ends(), False
            cluster.topics[topic] += stamps
            if begun is not None and decided and data.draw(st.booleans()):
                seen += read(cluster, position, begun, cluster.ends())
                begun = None
        decided = True
    seen += read(cluster, position, cluster.ends(), cluster.ends())
    for writer in (b"one", b"other"):
        orders = [stamp.order for stamp in seen if stamp.writer == writer]
        assert orders == sorted(orders)
    assert len(seen) == sum(cluster.ends().values())


def test_what_may_have_a_predecessor_that_is_not_seen_yet_waits() -> None:
    unsettled = Head(("a", 0), Stamp(b"one", 2), False)
    assert next_of([unsettled]) is None
    settled = Head(("b", 0), Stamp(b"one", 3), True)
    assert next_of([unsettled, settled]) == unsettled  # it came before one that has no unseen predecessor
    assert next_of([unsettled, settled._replace(stamp=Stamp(b"other", 3))]) == settled._replace(
        stamp=Stamp(b"other", 3)
    )
