"""Records found again in pages whose structure is gone."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from cme.core.batch import Batch
from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import MAX_RECORD_BYTES
from cme.log.record import encode
from cme.log.salvage import salvage
from cme.log.statements import MAX_KEY_BYTES, PAGE_BYTES
from cme.log.wal import FRAME_BYTES
from cme.log.wal import HEADER_BYTES as WAL_HEADER_BYTES

TIMES_MS = [0, 1, -1, 127, -128, 128, 2**15, -(2**15), 2**23, 2**31, 2**40, 2**47, -(2**63), 2**63 - 1]


def sized(size: int, topic: str = "samples", time_ms: int = 5, key: str = "") -> Batch:
    """A batch without rows whose record is about `size` bytes long, in steps of one."""
    return Batch(
        topic, time_ms, np.arange(size // 8, dtype=np.uint64), {"n" * (size % 8): ("",) * (size // 8)}, key
    )


def make(folder: Path, batches: list[Batch]) -> Path:
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        log.append(batches)
    return folder / FILE


def found_in(path: Path) -> dict[int, bytes]:
    return {found.seq: encode(found.batch) for found in salvage(path)}


def test_records_of_every_size_are_found(tmp_path: Path) -> None:
    batches = [sized(size) for size in [*range(0, 400, 7), *range(2_500, 2_900, 9), 20_000, 500_000]]
    assert max(len(encode(each)) for each in batches) < MAX_RECORD_BYTES
    assert found_in(make(tmp_path, batches)) == {i + 1: encode(each) for i, each in enumerate(batches)}


@pytest.mark.parametrize("size", [10, 3_000])
def test_records_of_every_time_topic_and_key_are_found(tmp_path: Path, size: int) -> None:
    batches = [sized(size, "samples", time_ms) for time_ms in TIMES_MS]
    keys = ["k" * n for n in (1, 56, 57, 58, 59, 300, MAX_KEY_BYTES)]
    batches += [
        sized(size, topic, 2**40, key) for key in keys for topic in ("series", "policies", "decisions")
    ]
    assert found_in(make(tmp_path, batches)) == {i + 1: encode(each) for i, each in enumerate(batches)}


def test_neither_page_headers_nor_interior_pages_nor_indices_are_needed(tmp_path: Path) -> None:
    batches = [sized(size % 900) for size in range(300)]
    path = make(tmp_path, batches)
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), PAGE_BYTES):
        data[at : at + 8] = b"\xff" * 8
    data[:PAGE_BYTES] = bytes(PAGE_BYTES)
    path.write_bytes(data)
    assert found_in(path) == {i + 1: encode(each) for i, each in enumerate(batches)}


def test_records_in_the_wal_are_found(tmp_path: Path) -> None:
    batches = [sized(size) for size in (0, 100, 5_000, 30_000)]
    with contextlib.closing(EmbeddedLog.open(tmp_path / "log", writable=True)) as log:
        for each in batches:
            log.append([each])
        shutil.copytree(tmp_path / "log", tmp_path / "copy")
    assert (tmp_path / "copy" / f"{FILE}-wal").stat().st_size
    assert found_in(tmp_path / "copy" / FILE) == {i + 1: encode(each) for i, each in enumerate(batches)}


def test_a_frame_with_a_wrong_checksum_may_hold_a_page_of_a_whole_record(tmp_path: Path) -> None:
    large = sized(30_000)
    with contextlib.closing(EmbeddedLog.open(tmp_path / "log", writable=True)) as log:
        log.append([large])
        shutil.copytree(tmp_path / "log", tmp_path / "copy")
    wal = tmp_path / "copy" / f"{FILE}-wal"
    whole = wal.read_bytes()
    for frame in range((len(whole) - WAL_HEADER_BYTES) // FRAME_BYTES):
        damaged = bytearray(whole)
        damaged[WAL_HEADER_BYTES + frame * FRAME_BYTES + 16] ^= 1
        wal.write_bytes(damaged)
        assert found_in(tmp_path / "copy" / FILE) == {1: encode(large)}


def test_garbage_holds_no_record(tmp_path: Path) -> None:
    path = tmp_path / "garbage"
    path.write_bytes((b"TCR1" + b"\xff" * 60) * 1_000)
    assert found_in(path) == {}
    path.write_bytes(b"")
    assert found_in(path) == {}
    assert found_in(tmp_path / "none") == {}
