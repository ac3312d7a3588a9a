"""Which log it is, over the life of its folder."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import LogFailed
from tests.contract.log_laws import batch, numbers, read_all


def identity(folder: Path) -> str:
    """As its writer and a reader say it."""
    with (
        closing(EmbeddedLog.open(folder, writable=True)) as writer,
        closing(EmbeddedLog.open(folder, writable=False)) as reader,
    ):
        assert writer.identity == reader.identity
        return reader.identity


def test_it_stays_the_same_and_two_logs_have_two(tmp_path: Path) -> None:
    one = identity(tmp_path / "one")
    assert len(one) == 32
    assert identity(tmp_path / "one") == one != identity(tmp_path / "other")


def test_a_log_made_anew_in_the_same_folder_is_another(tmp_path: Path) -> None:
    before = identity(tmp_path / "log")
    shutil.rmtree(tmp_path / "log")
    assert identity(tmp_path / "log") != before


def test_a_log_made_anew_beside_the_old_identity_is_another(tmp_path: Path) -> None:
    before = identity(tmp_path)
    for name in (FILE, "acknowledged"):
        (tmp_path / name).unlink()
    assert identity(tmp_path) != before


def test_a_repaired_log_keeps_it_as_it_keeps_its_numbers(tmp_path: Path) -> None:
    with closing(EmbeddedLog.open(tmp_path, writable=True)) as log:
        log.append([batch(1), batch(2)])
    before = identity(tmp_path)
    data = bytearray((tmp_path / FILE).read_bytes())
    data[16] ^= 255
    (tmp_path / FILE).write_bytes(data)
    assert identity(tmp_path) == before
    assert list(tmp_path.glob("*.damaged-*"))
    with closing(EmbeddedLog.open(tmp_path, writable=False)) as log:
        assert numbers(read_all(log, ["samples"])) == [1, 2]


def test_a_log_of_a_version_without_it_is_given_one(tmp_path: Path) -> None:
    with closing(EmbeddedLog.open(tmp_path, writable=True)) as log:
        log.append([batch(1)])
    (tmp_path / "identity").unlink()
    with (
        closing(EmbeddedLog.open(tmp_path, writable=False)) as log,
        pytest.raises(LogFailed, match="identity"),
    ):
        _ = log.identity
    assert identity(tmp_path) == identity(tmp_path)
    with closing(EmbeddedLog.open(tmp_path, writable=True)) as log:
        assert numbers(read_all(log, ["samples"])) == [1]
