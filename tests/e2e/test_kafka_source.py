"""The kafka source on a real broker: what a group has left, and what arrives."""

import asyncio
from collections.abc import Iterator

import pytest

from cme.core.settings import Connection
from cme.sources.protocol import Source, SourceFailed
from cme.sources.registry import open_source
from tests.e2e.components.jobs import SlowGroup, produce
from tests.e2e.components.kafka import Kafka
from tests.e2e.components.waiting import until

pytestmark = pytest.mark.e2e

TOPIC, GROUP = "measured", "measurers"


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


def source(kafka: Kafka, **spec: str) -> Source:
    connections = {"main": Connection(address=kafka.address)}
    return open_source({"kafka": {"connection": "main", "topic": TOPIC} | spec}, connections, "media", "test")


def test_arrivals_count_what_is_written_and_a_backlog_what_is_left(
    kafka: Kafka, runner: asyncio.Runner
) -> None:
    produce(kafka.address, TOPIC, 200)
    arrivals, backlog = source(kafka, measure="arrivals"), source(kafka, group=GROUP)

    def read(one: Source) -> float | None:
        """The sum over the partitions; None of a group that has committed nothing yet."""
        try:
            return sum(reading.value for reading in runner.run(one.read(0, 5.0)).readings)
        except SourceFailed:
            return None

    assert runner.run(arrivals.read(0, 5.0)).counters
    assert read(arrivals) == 200
    with SlowGroup(kafka.address, TOPIC, GROUP) as group:
        until("the group has all before it", lambda: read(backlog) == 200, 30)
        group.rate = 1_000
        until("the group has read all", lambda: read(backlog) == 0, 30)
    produce(kafka.address, TOPIC, 30)
    assert (read(arrivals), read(backlog)) == (230, 30)
    for one in (arrivals, backlog):
        runner.run(one.close())
