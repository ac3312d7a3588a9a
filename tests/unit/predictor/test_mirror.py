"""The memory's files come back from the log as they were, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from cme.core.clock import ManualClock
from cme.log.embedded import EmbeddedLog
from predictor import mirror
from predictor.mirror import Mirror
from tests.chaos.machine import Disk

ENGINE = np.random.default_rng(1).bytes(2_500_000)


@pytest.fixture
def log(tmp_path: Path) -> EmbeddedLog:
    return EmbeddedLog.open(tmp_path / "log", writable=True)


def owner(log: EmbeddedLog, folder: Path) -> Mirror:
    folder.mkdir(exist_ok=True)
    return Mirror(log, ManualClock(0), folder)


def copied(log: EmbeddedLog, folder: Path) -> Mirror:
    """An owner that has copied its engine."""
    one = owner(log, folder)
    (folder / "engine.state").write_bytes(ENGINE)
    one.copy()
    return one


def test_the_next_owner_has_what_the_one_before_had(log: EmbeddedLog, tmp_path: Path) -> None:
    before = owner(log, tmp_path / "before")
    before.fetch()
    for content in (b"old", ENGINE, b"", ENGINE[::-1]):
        (tmp_path / "before" / "engine.state").write_bytes(content)
        (tmp_path / "before" / "nowcast.state").write_bytes(b"now")
        before.copy()
        owner(log, tmp_path / "after").fetch()
        assert (tmp_path / "after" / "engine.state").read_bytes() == content
        assert (tmp_path / "after" / "nowcast.state").read_bytes() == b"now"


def test_only_what_has_changed_is_copied(log: EmbeddedLog, tmp_path: Path) -> None:
    one = copied(log, tmp_path / "one")
    end = log.end()
    one.copy()
    assert log.end() == end


def test_a_copy_that_is_cut_short_leaves_the_one_before(
    log: EmbeddedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = copied(log, tmp_path / "one")
    (tmp_path / "one" / "engine.state").write_bytes(ENGINE[::-1])
    monkeypatch.setattr(mirror, "AT_ONCE", 1)
    appended = log.append
    left = iter(range(2))
    monkeypatch.setattr(log, "append", lambda batches: next(left, None) is None or appended(batches))
    one.copy()
    monkeypatch.undo()
    owner(log, tmp_path / "other").fetch()
    assert (tmp_path / "other" / "engine.state").read_bytes() == ENGINE


def test_a_copy_that_is_not_whole_is_left_out_and_said(
    log: EmbeddedLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copied(log, tmp_path / "one")
    (second,) = log.newest("state", "engine.state/0/1")
    log.append([mirror._part(second.key, b"another", 0)])
    owner(log, tmp_path / "other").fetch()
    assert not (tmp_path / "other" / "engine.state").exists()
    assert "is not whole" in caplog.text


def test_a_full_disk_costs_what_was_learnt_since_the_file_that_is_there(
    log: EmbeddedLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copied(log, tmp_path / "before")
    with Disk(tmp_path, tmp_path / "disk") as disk:
        old = tmp_path / "disk" / "engine.state"
        old.write_bytes(b"old")
        with disk.full():
            after = owner(log, tmp_path / "disk")
            after.fetch()
            after.copy()
            assert old.read_bytes() == b"old"
    assert "can't write" in caplog.text
    owner(log, tmp_path / "next").fetch()
    assert (tmp_path / "next" / "engine.state").read_bytes() == ENGINE


def test_a_log_that_fails_costs_a_warning(
    log: EmbeddedLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = owner(log, tmp_path / "one")
    (tmp_path / "one" / "engine.state").write_bytes(b"x")
    log.close()
    one.copy()
    assert "not copied to the log" in caplog.text
