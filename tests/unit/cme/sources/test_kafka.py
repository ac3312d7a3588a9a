import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.collector.sampling import Sampler
from cme.core.errors import InvalidInput
from cme.core.readings import Harvest
from cme.sources.protocol import SourceFailed
from cme.sources.registry import parse_source
from tests.contract.kafka_import import kafka
from tests.contract.source_laws import NOW_MS, ScriptedKafka, offsets
from tests.contract.source_web import web_server

NUMBERS = st.dictionaries(st.integers(0, 5), st.integers(-1, 1_000))


def of(end: Mapping[int, int], first: Mapping[int, int], committed: Mapping[int, int]) -> Harvest:
    return kafka.backlog("jobs", "workers", kafka.Offsets(end, first, committed), NOW_MS)


def values(harvest: Harvest) -> dict[str, float]:
    return {r.part: r.value for r in harvest.readings}


def test_what_is_left_of_each_partition() -> None:
    harvest = of({0: 100, 1: 50}, {0: 0, 1: 0}, {0: 90, 1: 50})
    assert values(harvest) == {"0": 10.0, "1": 0.0}
    assert (harvest.expected, harvest.failures, harvest.counters) == ({"": 2}, [], False)


@pytest.mark.parametrize("committed", [{0: 90}, {0: 90, 1: -1}])
def test_a_partition_without_a_commit_counts_from_its_beginning(committed: dict[int, int]) -> None:
    assert values(of({0: 100, 1: 50}, {0: 0, 1: 20}, committed)) == {"0": 10.0, "1": 30.0}


def test_records_that_retention_removed_are_no_backlog() -> None:
    assert values(of({0: 100}, {0: 80}, {0: 10})) == {"0": 20.0}


def test_a_group_ahead_of_a_partition_is_a_failed_part() -> None:
    harvest = of({0: 100, 1: 50}, {0: 0, 1: 0}, {0: 90, 1: 51})
    assert values(harvest) == {"0": 10.0}
    assert harvest.expected == {"": 2}
    assert harvest.failures == ["group 'workers' is ahead of partition 1 of 'jobs': was it made anew?"]


@pytest.mark.parametrize("committed", [{}, {0: -1}])
def test_a_group_that_never_committed_may_not_exist(committed: dict[int, int]) -> None:
    with pytest.raises(SourceFailed, match="'workers' has never committed an offset of topic 'jobs'"):
        of({0: 100}, {0: 0}, committed)


def test_arrivals_are_counters_of_the_end_offsets() -> None:
    harvest = kafka.arrivals(kafka.Offsets({0: 100, 1: 50}, {}, {}), NOW_MS)
    assert values(harvest) == {"0": 100.0, "1": 50.0}
    assert (harvest.expected, harvest.failures, harvest.counters) == ({"": 2}, (), True)


def test_arrivals_become_a_rate_and_a_topic_made_anew_a_small_one() -> None:
    sampler, rates = Sampler(30_000, 90_000), []
    for second, ends in ((0, (100, 50)), (10, (160, 90)), (20, (220, 130)), (30, (5, 0))):
        harvest = kafka.arrivals(kafka.Offsets(dict(enumerate(ends)), {}, {}), NOW_MS + second * 1000)
        total = sampler.sample(harvest, "", NOW_MS + second * 1000).total
        rates.append(total and round(total.value, 9))
    assert rates == [None, 10.0, 10.0, round((60 + 60 + 5 + 40 + 40) / 30, 9)]


async def test_without_a_group_arrivals_are_read() -> None:
    source = ScriptedKafka(group=None)
    harvest = await source.read(NOW_MS, 5.0)
    assert (values(harvest), harvest.counters) == ({"0": 100.0, "1": 100.0}, True)
    await source.close()


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, "a backlog is a consumer group's: give group, or measure arrivals"),
        ({"measure": "arrivals", "group": "workers"}, "leave group out"),
        ({"measure": "lag", "group": "workers"}, "measure: Input should be 'backlog' or 'arrivals'"),
    ],
)
def test_a_backlog_has_a_group_and_arrivals_have_none(spec: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        parse_source({"kafka": {"connection": "main", "topic": "jobs"} | spec}, "test")


@given(NUMBERS, NUMBERS, NUMBERS)
def test_every_partition_is_a_reading_or_a_failure_and_none_is_negative(
    end: dict[int, int], first: dict[int, int], committed: dict[int, int]
) -> None:
    try:
        harvest = of(end, first, committed)
    except SourceFailed:
        assert not any(offset >= 0 for offset in committed.values())
        return
    assert harvest.expected == {"": len(end)}
    assert len(harvest.readings) + len(harvest.failures) == len(end)
    assert all(reading.value >= 0 for reading in harvest.readings)


async def test_a_broker_that_hangs_holds_one_thread_and_is_told() -> None:
    source, released = ScriptedKafka(), threading.Event()

    def hang() -> kafka.Offsets:
        assert released.wait(30)
        return offsets(committed=90)

    source.says = hang
    before = threading.active_count()
    try:
        for _ in range(20):
            with pytest.raises((TimeoutError, SourceFailed)):
                async with asyncio.timeout(0.001):
                    await source.read(NOW_MS, 5.0)
        with pytest.raises(SourceFailed, match="at broker:9092: an earlier question is still unanswered"):
            await source.read(NOW_MS, 5.0)
        assert threading.active_count() == before + 1
    finally:
        released.set()
    await source.close()  # comes after the question in the same thread
    assert values(await source.read(NOW_MS, 5.0)) == {"0": 50.0, "1": 10.0}
    await source.close()


async def test_a_client_is_dropped_after_an_error() -> None:
    class Client:
        closed = 0

        def close(self) -> None:
            self.closed += 1

    def refuse() -> kafka.Offsets:
        raise TypeError("kafka-python did not understand the answer")

    source, client = ScriptedKafka(), Client()
    source._client, source.says = client, refuse
    with pytest.raises(SourceFailed, match=r"kafka at broker:9092: TypeError$"):
        await source.read(NOW_MS, 5.0)
    assert (client.closed, source._client) == (1, None)


# In a process of its own, for pytest keeps what kafka-python logs, and with it sockets that would be collected.
READS = """
import asyncio, gc, json, sys, threading
from pathlib import Path
from cme.sources import kafka

async def main():
    kafka.TIMEOUT_MS, texts, opened = 200, [], []
    source = kafka.Kafka("jobs", "workers", sys.argv[1])
    for _ in range(6):
        try:
            await source.read(0, 5.0)
        except kafka.SourceFailed as error:
            texts.append(str(error))
        gc.collect()
        opened.append([threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))])
    await source.close()
    print(json.dumps([texts, opened]))

asyncio.run(main())
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")
@pytest.mark.parametrize("speaks", [True, False], ids=["speaks http", "closed port"])
async def test_what_is_no_broker_fails_the_same_each_time_and_leaves_nothing_open(speaks: bool) -> None:
    async with web_server() as web:
        web.raw = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        address = f"127.0.0.1:{web.port if speaks else 1}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", READS, address, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        output, _ = await process.communicate()
    texts, opened = json.loads(output)
    assert texts == [f"kafka at {address}: KafkaTimeoutError"] * 6
    assert len({threads for threads, _ in opened}) == 1
    # A file or two of the last try may be closing still; a leak would be four of each try.
    assert max(files for _, files in opened) < min(files for _, files in opened) + 4
