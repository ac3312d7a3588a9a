"""The scan of a WAL, against SQLite's own WALs and the format's description word by word."""

import random
import sqlite3
import struct
from pathlib import Path

import pytest

from cme.log.wal import FRAME_BYTES, HEADER_BYTES, read_wal


def make_wal(folder: Path, commits: int, restart_after: int = 0) -> bytes:
    """The WAL of a database to which `commits` rows were added, the first `restart_after` of them checkpointed."""
    db = sqlite3.connect(folder / "db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t(x)")
    for i in range(commits):
        if restart_after and i == restart_after:
            db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        db.execute("INSERT INTO t VALUES (zeroblob(?))", (5_000,))
    data = (folder / "db-wal").read_bytes()
    db.close()
    return data


@pytest.fixture
def wal(tmp_path: Path) -> bytes:
    return make_wal(tmp_path, 6)


def flipped(data: bytes, at: int, by: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


def checksum(data: bytes, order: str, s0: int = 0, s1: int = 0) -> tuple[int, int]:
    """As https://sqlite.org/fileformat2.html#checksum_algorithm puts it."""
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for x0, x1 in zip(words[::2], words[1::2], strict=True):
        s0 = (s0 + x0 + s1) & 0xFFFFFFFF
        s1 = (s1 + x1 + s0) & 0xFFFFFFFF
    return s0, s1


def resealed(data: bytes, order: str) -> bytes:
    """The WAL with the byte order of its checksums changed."""
    magic = 0x377F0682 | (order == ">")
    head = struct.pack(">I", magic) + data[4:24]
    sums = checksum(head, order)
    parts = [head + struct.pack(">2I", *sums)]
    for at in range(HEADER_BYTES, len(data), FRAME_BYTES):
        frame = data[at : at + FRAME_BYTES]
        sums = checksum(frame[:8] + frame[24:], order, *sums)
        parts.append(frame[:16] + struct.pack(">2I", *sums) + frame[24:])
    return b"".join(parts)


def test_all_frames_of_sqlite_are_good(wal: bytes) -> None:
    found = read_wal(wal)
    assert not found.problem
    assert len(found.frames) == (len(wal) - HEADER_BYTES) // FRAME_BYTES
    assert all(frame.good for frame in found.frames)
    assert found.frames[-1].commit


@pytest.mark.parametrize("order", "<>")
def test_checksums_of_both_byte_orders_are_known(wal: bytes, order: str) -> None:
    assert all(frame.good for frame in read_wal(resealed(wal, order)).frames)


def test_a_flip_before_the_last_commit_is_damage(wal: bytes) -> None:
    chance = random.Random(1)
    last_commit = (len(wal) - HEADER_BYTES) // FRAME_BYTES - 1
    for _ in range(100):
        at = chance.randrange(HEADER_BYTES + last_commit * FRAME_BYTES)
        found = read_wal(flipped(wal, at, chance.randrange(1, 256)))
        assert found.problem, f"byte {at}"
        assert found.frames[-1].commit
        assert sum(not frame.good for frame in found.frames) <= 2


def test_the_damaged_frame_is_named(wal: bytes) -> None:
    assert "frame 3 of" in read_wal(flipped(wal, HEADER_BYTES + 2 * FRAME_BYTES + 99)).problem
    assert "header" in read_wal(flipped(wal, 20)).problem


def test_a_torn_tail_is_no_damage(wal: bytes) -> None:
    for cut in (1, 100, FRAME_BYTES, FRAME_BYTES + 4_000, 2 * FRAME_BYTES):
        assert not read_wal(wal[:-cut]).problem
    assert not read_wal(wal[:-50] + bytes(50)).problem


def test_stale_frames_of_an_older_generation_are_no_damage(tmp_path: Path) -> None:
    data = make_wal(tmp_path, 12, restart_after=10)
    found = read_wal(data)
    assert not found.problem
    assert 0 < len(found.frames) < (len(data) - HEADER_BYTES) // FRAME_BYTES


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(32), bytes(HEADER_BYTES + FRAME_BYTES - 1)])
def test_without_a_frame_there_is_nothing(data: bytes) -> None:
    assert read_wal(data).frames == []
    assert not read_wal(data).problem


def test_garbage_is_no_wal() -> None:
    assert not read_wal(random.Random(1).randbytes(HEADER_BYTES + 3 * FRAME_BYTES)).problem
