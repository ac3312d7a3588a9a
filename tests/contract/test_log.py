"""The laws of cme.log.protocol.Log, for every implementation."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cme.core.batch import Batch, series_ids
from cme.core.durations import DAY_MS, HOUR_MS
from cme.log.protocol import CHUNK_BYTES, MAX_RECORD_BYTES, Log, LogFailed, Position
from cme.log.record import encode
from tests.contract.kafka_log import on_kafka
from tests.contract.log_laws import (
    IMPLEMENTATIONS,
    START_MS,
    Implementation,
    batch,
    bytes_of,
    numbers,
    read_all,
)

Open = Callable[[], Log]


@pytest.fixture(
    params=[*IMPLEMENTATIONS, pytest.param(None, marks=pytest.mark.e2e, id="kafka")],
    ids=lambda each: each and each.name,
)
def kind(request: pytest.FixtureRequest) -> Implementation:
    """That on Kafka needs a broker."""
    chosen: Implementation | None = request.param
    return chosen or on_kafka(request.getfixturevalue("kafka").address)


@pytest.fixture
def log(kind: Implementation, tmp_path: Path) -> Iterator[Log]:
    writer = kind.writer(tmp_path)
    yield writer
    writer.close()


@pytest.fixture
def reader(kind: Implementation, tmp_path: Path, log: Log) -> Iterator[Log]:
    opened = kind.reader(tmp_path)
    yield opened
    opened.close()


def test_batches_come_back_bit_by_bit_and_in_order(log: Log, reader: Log) -> None:
    topics = ["samples", "minutes", "decisions"]
    written = [batch(i, topics[i % 3]) for i in range(50)]
    for start in range(0, 50, 10):
        log.append(written[start : start + 10])
    assert bytes_of(read_all(reader, topics)) == bytes_of(written)
    assert bytes_of(read_all(log, topics)) == bytes_of(written)


def test_only_the_asked_topics_are_read(log: Log) -> None:
    log.append([batch(1), batch(2, "minutes"), batch(3)])
    assert numbers(read_all(log, ["minutes"])) == [2]


def test_a_position_survives_json_and_continues_behind_what_was_read(log: Log, reader: Log) -> None:
    log.append([batch(i) for i in range(5)])
    position = json.loads(json.dumps(reader.read(["samples"], {}, limit=3).position))
    log.append([batch(5)])
    assert numbers(read_all(reader, ["samples"], position)) == [3, 4, 5]


def test_append_returns_the_position_behind_its_batches(log: Log) -> None:
    log.append([batch(1)])
    position = log.append([batch(2), batch(3)])
    assert log.read(["samples"], position).batches == []
    log.append([batch(4)])
    assert numbers(read_all(log, ["samples"], position)) == [4]


def test_limit_bounds_a_chunk_and_loses_nothing(log: Log) -> None:
    log.append([batch(i, "samples" if i % 2 else "minutes") for i in range(20)])
    assert len(log.read(["samples", "minutes"], {}, limit=7).batches) <= 7
    assert numbers(read_all(log, ["samples", "minutes"], limit=7)) == list(range(20))


def test_what_is_read_at_once_is_bounded_in_bytes_and_loses_nothing(log: Log, reader: Log) -> None:
    rows = 25_000  # of 24 bytes
    for number in range(0, 40, 4):
        log.append([batch(number + i, "samples" if i % 2 else "minutes", rows=rows) for i in range(4)])
    position: Position = {}
    found: list[int] = []
    while (chunk := reader.read(["samples", "minutes"], position)).batches:
        assert sum(len(encode(one)) for one in chunk.batches) <= CHUNK_BYTES + MAX_RECORD_BYTES
        found += [one.epoch for one in chunk.batches if one.epoch not in found]  # large ones are split
        position = chunk.position
    assert found == list(range(40))


def test_an_empty_chunk_keeps_the_position(log: Log) -> None:
    position = log.append([batch(1)])
    chunk = log.read(["samples", "minutes"], position)
    assert not chunk.batches
    assert position.items() <= chunk.position.items()
    assert log.read(["samples", "minutes"], chunk.position).position == chunk.position
    log.append([batch(2), batch(3, "minutes")])
    assert numbers(read_all(log, ["samples", "minutes"], chunk.position)) == [2, 3]


def test_append_stores_all_batches_or_none(log: Log) -> None:
    row = Batch("samples", START_MS, series_ids([7]), {"reason": ("x" * MAX_RECORD_BYTES,)})
    with pytest.raises(ValueError, match="row of series 7"):
        log.append([batch(1), row])
    assert read_all(log, ["samples"]) == []
    log.append([batch(2)])
    assert numbers(read_all(log, ["samples"])) == [2]


def test_a_topic_without_history_keeps_the_newest_of_every_key(kind: Implementation, log: Log) -> None:
    log.append([batch(1, "series", "a"), batch(2, "series", "b"), batch(3, "series", "a")])
    log.append([batch(4, "series", "b")])
    assert numbers(log.newest("series")) == [3, 4]
    assert numbers(log.newest("series", "a")) == [3]
    assert list(log.newest("series", "c")) == []
    assert numbers(read_all(log, ["series"])) == ([3, 4] if kind.removes else [1, 2, 3, 4])


def test_what_was_the_newest_of_a_key_at_a_time_is_found(log: Log) -> None:
    log.append([batch(1, "replicas", "a"), batch(2, "replicas", "b"), batch(3, "replicas", "a")])
    times = {number: batch(number).time_ms for number in (1, 2, 3)}

    def newest(key: str, time_ms: int) -> list[int]:
        found = log.newest_at("replicas", key, time_ms)
        return numbers([found] if found else [])

    assert newest("a", times[1] - 1) == []
    assert newest("a", times[1]) == newest("a", times[3] - 1) == [1]
    assert newest("a", times[3]) == newest("a", times[3] + DAY_MS) == [3]
    assert newest("b", times[3]) == [2]
    assert newest("c", times[3]) == []


def test_a_topic_with_history_keeps_superseded_batches_until_they_are_old(
    kind: Implementation, log: Log
) -> None:
    log.append([batch(i, "policies", "web") for i in range(3)])
    assert numbers(log.newest("policies", "web")) == [2]
    assert numbers(read_all(log, ["policies"])) == [0, 1, 2]
    assert log.retain(START_MS + 36 * DAY_MS) == (2 if kind.removes else 0)
    assert numbers(log.newest("policies")) == [2]
    assert numbers(read_all(log, ["policies"])) == ([2] if kind.removes else [0, 1, 2])


def test_retention_removes_what_is_old_and_nothing_else(kind: Implementation, log: Log) -> None:
    log.append([batch(i) for i in range(10)] + [batch(10, "minutes"), batch(11)])
    removed = 4 if kind.removes else 0
    assert log.retain(START_MS + 6 * HOUR_MS + 4_000) == removed
    assert numbers(read_all(log, ["samples", "minutes"])) == list(range(removed, 12))
    assert log.retain(START_MS + 6 * HOUR_MS + 4_000) == 0


def test_positions_stay_valid_across_retention(log: Log) -> None:
    position = log.append([batch(i) for i in range(5)])
    log.retain(START_MS + DAY_MS)
    log.append([batch(6), batch(7)])
    assert numbers(read_all(log, ["samples"], position)) == [6, 7]


@pytest.mark.parametrize(("seconds", "expected"), [(-1, [0, 1, 2, 3]), (2, [2, 3]), (99, [])])
def test_position_at_a_time_reads_everything_from_it(log: Log, seconds: int, expected: list[int]) -> None:
    log.append([batch(i) for i in range(4)])
    position = log.position_at(["samples", "minutes"], START_MS + seconds * 1_000)
    assert numbers(read_all(log, ["samples", "minutes"], position)) == expected


def test_position_at_includes_late_batches(log: Log) -> None:
    log.append([batch(5), batch(1), batch(6)])
    position = log.position_at(["samples"], START_MS + 5_000)
    assert {5, 6} <= set(numbers(read_all(log, ["samples"], position)))


def test_a_large_batch_is_split_by_rows(log: Log) -> None:
    rows = 300_000
    whole = Batch("minutes", START_MS, np.arange(rows, dtype=np.uint64), {"value": np.random.rand(rows)})
    log.append([whole])
    parts = read_all(log, ["minutes"])
    assert all(len(encode(part)) <= MAX_RECORD_BYTES for part in parts)
    assert np.array_equal(np.concatenate([part.series for part in parts]), whole.series)
    value = np.concatenate([part.numbers("value") for part in parts])
    assert np.array_equal(value, whole.numbers("value"))


def test_a_large_keyed_batch_is_refused_with_what_to_do(log: Log) -> None:
    rows = 300_000
    whole = Batch("forecasts", START_MS, np.arange(rows, dtype=np.uint64), {}, key="block-0")
    with pytest.raises(ValueError, match=r"forecasts 'block-0'.*smaller blocks"):
        log.append([whole])


def test_readers_do_not_disturb_each_other(
    kind: Implementation, tmp_path: Path, log: Log, reader: Log
) -> None:
    log.append([batch(i) for i in range(6)])
    other = kind.reader(tmp_path)
    first = reader.read(["samples"], {}, limit=4)
    assert numbers(read_all(other, ["samples"])) == list(range(6))
    other.close()
    assert numbers(read_all(reader, ["samples"], first.position)) == [4, 5]


def test_everything_is_there_after_reopening(kind: Implementation, tmp_path: Path) -> None:
    log = kind.writer(tmp_path)
    log.append([batch(i, "series", f"key-{i}") for i in range(3)])
    log.close()
    log.close()
    alone = kind.reader(tmp_path)
    assert numbers(alone.newest("series")) == [0, 1, 2]
    alone.close()
    log = kind.writer(tmp_path)
    log.append([batch(3, "series", "key-3")])
    assert numbers(read_all(log, ["series"])) == [0, 1, 2, 3]
    log.close()


def test_a_reader_follows_while_the_writer_appends(log: Log, reader: Log) -> None:
    def write() -> None:
        for i in range(0, 300, 3):
            log.append([batch(i), batch(i + 1, "minutes"), batch(i + 2)])

    thread = threading.Thread(target=write)
    thread.start()
    found: list[int] = []
    position: Position = {}
    while len(found) < 300:
        writing = thread.is_alive()
        chunk = reader.read(["samples", "minutes"], position, limit=50)
        assert chunk.batches or writing, f"only {len(found)} of 300 arrived"
        found += numbers(chunk.batches)
        position = chunk.position
    thread.join()
    assert found == list(range(300))


def test_several_threads_may_append(log: Log) -> None:
    def write(start: int) -> None:
        for i in range(start, start + 20):
            log.append([batch(i)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = numbers(read_all(log, ["samples"]))
    assert sorted(found) == [*range(20), *range(100, 120), *range(200, 220)]
    assert [i for i in found if i < 100] == list(range(20))


def test_an_unknown_topic_is_refused_by_name(log: Log) -> None:
    for call in (
        lambda: log.append([batch(1), batch(2, "smaples")]),
        lambda: log.read(["smaples"], {}),
        lambda: log.newest("smaples"),
        lambda: log.position_at(["smaples"], 0),
    ):
        with pytest.raises(ValueError, match="'smaples'"):
            call()
    assert read_all(log, ["samples"]) == []


def test_batches_may_be_empty(log: Log) -> None:
    assert dict(log.append([])) == {}
    bare = Batch("samples", START_MS, series_ids([]))
    hollow = Batch("samples", START_MS, series_ids([]), {"value": np.empty(0), "reason": ()})
    log.append([bare, hollow])
    assert bytes_of(read_all(log, ["samples"])) == bytes_of([bare, hollow])


def test_a_reader_cannot_write(reader: Log) -> None:
    with pytest.raises(LogFailed, match="reading only"):
        reader.append([batch(1)])


def test_a_closed_log_says_so(kind: Implementation, tmp_path: Path) -> None:
    log = kind.writer(tmp_path)
    log.close()
    with pytest.raises(LogFailed, match="closed"):
        log.read(["samples"], {})
