"""How the view gets to the log's end: on the embedded log, by a reader beside its writer."""

import contextlib
import itertools
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapter.follow import CHUNK, Follower, Tolerant
from adapter.view import View
from cme.collector.records import describe, samples_batch
from cme.core.batch import Batch
from cme.core.clock import ManualClock
from cme.core.durations import HOUR_MS, MINUTE_MS
from cme.core.identity import SeriesKey
from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Chunk, LogFailed, LogReplaced, Position
from cme.policies.standing import Standing
from tests.unit.adapter.stage import NOW, ids, policy, sampled

WEB = policy("web")
QPS, _ = ids(WEB)


class Watched:
    """A log that counts its reads, and that fails in those that are set to."""

    def __init__(self, log: EmbeddedLog) -> None:
        self.log = log
        self.reads = 0
        self.failing: set[int] = set()

    def read(self, topics: Sequence[str], after: Position, limit: int = 1000) -> Chunk:
        self.reads += 1
        if self.reads in self.failing:
            raise LogFailed("disk I/O error")
        return self.log.read(topics, after, limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)


class Kept(View):
    """A view that remembers what it was given."""

    def take(self, batches: list[Batch]) -> None:
        self.taken: list[Batch] = [*getattr(self, "taken", []), *batches]
        super().take(batches)

    @property
    def values(self) -> list[float]:
        return [float(b.numbers("value")[0]) for b in self.taken if b.topic == "samples"]


class Stage:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW)
        self.writer = EmbeddedLog.open(folder, writable=True)
        self.writer.append(describe([Standing.valid(WEB)], NOW - 3 * HOUR_MS))
        self.reader = Watched(EmbeddedLog.open(folder, writable=False))
        self.view = Kept(self.clock)
        self.damages = 0
        version = self.reader.log.data_version
        self.follower = Follower(self.reader, self.view, lambda _: version(), self._damaged)

    def _damaged(self) -> None:
        self.damages += 1

    def write(self, *values: float, age: int = 0) -> None:
        """A tick of the collector for each value."""
        for value in values:
            now = self.clock.now_ms() - age
            row = SeriesKey(WEB.workload, "qps"), sampled(value, now)
            self.writer.append([samples_batch(now, 1, [row])])
            self.clock.advance(1)

    def close(self) -> None:
        self.reader.log.close()
        self.writer.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


async def test_a_turn_reads_to_the_end_and_the_next_only_what_is_new(stage: Stage) -> None:
    stage.write(1.0, 2.0)
    await stage.follower.turn()
    assert stage.view.values == [1.0, 2.0]
    stage.write(3.0)
    await stage.follower.turn()
    assert stage.view.values == [1.0, 2.0, 3.0]
    assert stage.view.samples.get("value", QPS) == 3.0


async def test_more_than_one_chunk_is_read_in_one_turn(stage: Stage) -> None:
    stage.write(*range(CHUNK + 3))
    await stage.follower.turn()
    assert stage.view.values == list(range(CHUNK + 3))


async def test_it_is_ready_once_the_end_was_reached(stage: Stage) -> None:
    assert not stage.view.ready
    stage.reader.failing = {2}
    with pytest.raises(LogFailed):
        await stage.follower.turn()
    assert not stage.view.ready
    await stage.follower.turn()
    assert stage.view.ready


async def test_an_empty_log_makes_it_ready_too(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    with contextlib.closing(stage):
        await stage.follower.turn()
        assert stage.view.ready


async def test_nothing_new_is_not_read_for(stage: Stage) -> None:
    await stage.follower.turn()
    reads = stage.reader.reads
    for _ in range(3):
        await stage.follower.turn()
    assert stage.reader.reads == reads


@pytest.mark.parametrize("failing", [{1}, {2}, {3}, {1, 2, 4}])
async def test_after_a_failure_it_goes_on_where_it_stopped(failing: set[int], stage: Stage) -> None:
    stage.write(*range(CHUNK + 3))
    stage.reader.failing = failing
    for _ in failing:
        with pytest.raises(LogFailed):
            await stage.follower.turn()
    await stage.follower.turn()
    assert stage.view.values == list(range(CHUNK + 3))


async def test_it_starts_with_what_it_keeps_and_with_every_policy(stage: Stage) -> None:
    stage.write(1.0, age=2 * HOUR_MS)
    stage.write(2.0, age=4 * MINUTE_MS)
    stage.write(3.0)
    await stage.follower.turn()
    assert stage.view.values == [2.0, 3.0]
    assert [e.policy.key for e in stage.view.catalog.entries] == ["shop/web"]


async def test_a_damaged_record_is_said_aloud_and_all_others_are_taken(
    stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage.write(1.0, 2.0, 3.0)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        (seq,) = db.execute("SELECT max(seq) - 1 FROM records").fetchone()
        (body,) = db.execute("SELECT body FROM records WHERE seq = ?", (seq,)).fetchone()
        flipped = body[:-1] + bytes([body[-1] ^ 1])
        db.execute("UPDATE records SET body = ? WHERE seq = ?", (flipped, seq))
    await stage.follower.turn()
    assert stage.view.values == [1.0, 3.0]
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert any(f"record {seq}" in text and "CRC" in text for text in told)


async def test_a_log_that_goes_away_is_told_once_a_cause_and_so_is_its_return(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tidecast.adapter")
    faults: list[int] = []
    tolerant = Tolerant(stage.follower, lambda: faults.append(1))
    stage.write(1.0)
    stage.reader.failing = {1, 2, 3}
    for _ in range(5):
        await tolerant.turn()
    assert len(faults) == 3
    told = [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "tidecast.adapter"]
    assert told == [
        ("ERROR", "disk I/O error; what is held is served while it is fresh"),
        ("INFO", "the log is read again"),
    ]
    assert stage.view.values == [1.0]
    assert not tolerant.replaced.is_set()


async def test_causes_that_take_turns_are_told_once_each(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    causes = itertools.cycle(("reset by peer", "disconnected"))

    def lost(seen: int) -> int:
        raise LogFailed(next(causes))

    tolerant = Tolerant(Follower(stage.reader.log, stage.view, lost, lambda: None), lambda: None)
    for _ in range(6):
        await tolerant.turn()
    told = [r.getMessage().split(";")[0] for r in caplog.records if r.name == "tidecast.adapter"]
    assert told == ["reset by peer", "disconnected"]


async def test_another_log_in_its_place_is_told(stage: Stage) -> None:
    def replaced(seen: int) -> int:
        raise LogReplaced("another one")

    tolerant = Tolerant(Follower(stage.reader.log, stage.view, replaced, lambda: None), lambda: None)
    await tolerant.turn()
    assert tolerant.replaced.is_set()
    assert not stage.view.ready


async def test_the_version_seen_last_is_what_the_next_is_asked_with(stage: Stage) -> None:
    asked: list[int] = []

    def version(seen: int) -> int:
        asked.append(seen)
        return seen + 5

    follower = Follower(stage.reader.log, stage.view, version, lambda: None)
    for _ in range(3):
        await follower.turn()
    assert asked == [-1, 4, 9]
