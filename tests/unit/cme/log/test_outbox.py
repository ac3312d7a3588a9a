"""What a log refuses waits on the disk and comes to it in order, once; when there is too much the oldest go."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from cme.core.batch import Batch
from cme.log import spool as spools
from cme.log.embedded import EmbeddedLog
from cme.log.outbox import Outbox
from cme.log.protocol import LogFailed, LogFenced, Position
from cme.log.spool import Spool
from tests.chaos.machine import Disk
from tests.contract.log_laws import batch, numbers, read_all


class Broken(EmbeddedLog):
    """One that refuses while it is told to."""

    error: LogFailed | None = None

    def append(self, batches: Sequence[Batch]) -> Position:
        if self.error:
            raise self.error
        return super().append(batches)


class Stage:
    def __init__(self, folder: Path, max_bytes: int = 1 << 30, logs: Path | None = None) -> None:
        """`logs` is where the log is, if not beside what waits."""
        self.folder, self.dropped = folder / "outbox", list[Batch]()
        self.log = Broken.open(logs or folder / "log", writable=True)
        self.max_bytes = max_bytes
        self.restart()

    def restart(self) -> None:
        self.outbox = Outbox(self.log, Spool(self.folder, self.max_bytes, self.dropped.append))

    @property
    def delivered(self) -> list[int]:
        return numbers(read_all(self.log, ["samples"]))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_what_is_refused_comes_in_order_when_the_log_is_back(stage: Stage) -> None:
    stage.outbox.append([batch(1)])
    stage.log.error = LogFailed("away")
    stage.outbox.append([batch(2), batch(3)])
    stage.outbox.append([batch(4)])
    stage.outbox.deliver()
    stage.log.error = None
    stage.outbox.append([batch(5)])  # behind what waits
    assert stage.delivered == [1]
    stage.outbox.deliver()
    assert stage.delivered == [1, 2, 3, 4, 5]
    stage.outbox.append([batch(6)])
    stage.outbox.deliver()
    assert stage.delivered == [1, 2, 3, 4, 5, 6]
    assert list(stage.folder.iterdir()) == []


def test_what_waits_survives_the_process(stage: Stage) -> None:
    stage.log.error = LogFailed("away")
    stage.outbox.append([batch(1)])
    stage.restart()
    stage.outbox.append([batch(2)])
    stage.log.error = None
    stage.restart()
    stage.outbox.append([batch(3)])
    stage.outbox.deliver()
    assert stage.delivered == [1, 2, 3]


def test_what_a_killed_process_was_writing_is_left_out_and_nothing_else(stage: Stage) -> None:
    stage.log.error = LogFailed("away")
    stage.outbox.append([batch(1)])
    (file,) = stage.folder.iterdir()
    stage.outbox.append([batch(2)])
    os.truncate(file, file.stat().st_size - 5)
    stage.restart()
    stage.outbox.append([batch(3)])
    stage.log.error = None
    stage.outbox.deliver()
    assert stage.delivered == [1, 3]


def test_when_there_is_no_room_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "FILE_BYTES", 1)
    stage = Stage(tmp_path, max_bytes=1_000)
    stage.log.error = LogFailed("away")
    for number in range(20):
        stage.outbox.append([batch(number)])
    stage.log.error = None
    stage.outbox.deliver()
    assert stage.delivered == list(range(20))[-len(stage.delivered) :]
    assert numbers(stage.dropped) == list(range(20))[: -len(stage.delivered)]
    assert 0 < len(stage.delivered) < 10


def test_what_comes_while_a_file_is_delivered_is_not_lost(stage: Stage) -> None:
    stage.log.error = LogFailed("away")
    stage.outbox.append([batch(1)])
    stage.log.error = None
    spool = Spool(stage.folder, 1 << 30, stage.dropped.append)
    first = spool.first()
    assert first
    spool.put([batch(2)])
    spool.forget(first[0])
    stage.outbox.deliver()
    assert stage.delivered == [2]


def test_what_is_given_up_while_it_is_delivered_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "FILE_BYTES", 1)
    spool = Spool(tmp_path / "outbox", 1, lambda _: None)
    spool.put([batch(1)])
    first = spool.first()
    assert first
    spool.put([batch(2)])
    assert not first[0].exists()
    spool.forget(first[0])
    left = spool.first()
    assert left
    assert numbers(left[1]) == [2]


def test_who_has_been_replaced_keeps_nothing(stage: Stage) -> None:
    stage.log.error = LogFenced("another writes")
    with pytest.raises(LogFenced):
        stage.outbox.append([batch(1)])
    assert not stage.folder.exists()


def test_a_disk_that_turns_read_only_holds_nothing_up_and_tells_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "FILE_BYTES", 1)
    (tmp_path / "log").mkdir()
    with Disk(tmp_path, tmp_path / "disk") as disk:
        stage = Stage(tmp_path / "disk", logs=tmp_path / "log")
        stage.log.error = LogFailed("away")
        for number in (1, 2):
            stage.outbox.append([batch(number)])
        disk.fail()
        with pytest.raises(LogFailed, match="Read-only"):
            stage.outbox.append([batch(3)])
        stage.log.error = None
        stage.outbox.deliver()
        stage.outbox.append([batch(3)])
        stage.outbox.deliver()
        assert stage.delivered == [1, 2, 3]


def test_what_was_delivered_goes_when_the_disk_removes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, 1 << 30, lambda _: None)
    spool.put([batch(1)])
    first = spool.first()
    assert first
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", refuse)
        spool.forget(first[0])
    assert spool.first() is None
    spool.put([batch(2)])
    assert not first[0].exists()
    left = spool.first()
    assert left
    assert numbers(left[1]) == [2]


def refuse(file: Path, missing_ok: bool = False) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


def test_a_full_disk_that_holds_nothing_keeps_no_process_from_its_start(tmp_path: Path) -> None:
    with Disk(tmp_path, tmp_path / "disk") as disk, disk.full():
        stage = Stage(tmp_path / "disk", logs=tmp_path / "log")
        stage.outbox.append([batch(1)])
        assert stage.delivered == [1]


def test_a_disk_that_takes_nothing_is_told(stage: Stage) -> None:
    stage.log.error = LogFailed("away")
    stage.folder.write_text("in the way")
    with pytest.raises(LogFailed, match=r"outbox: .*free some space"):
        stage.outbox.append([batch(1)])
