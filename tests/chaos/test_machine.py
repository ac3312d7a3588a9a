"""What fails beneath a process does so as it is said."""

import errno
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cme.core.durations import HOUR_MS
from tests.chaos.machine import Disk, MachineClock

TELLING = """
import asyncio, json, sqlite3, sys, time, uvloop
def slept(run):
    start = time.monotonic()
    run(asyncio.sleep(.05))
    return time.monotonic() - start
for _ in sys.stdin:
    of_sqlite = sqlite3.connect(":memory:").execute("SELECT strftime('%s', 'now')").fetchone()[0]
    print(json.dumps({
        "wall": [time.time(), time.time_ns() / 1e9, int(of_sqlite)],
        "monotonic": [time.monotonic(), asyncio.new_event_loop().time()],
        "slept": [slept(asyncio.run), slept(uvloop.run)],
    }), flush=True)
"""
NEAR_S = 30
"""Far less than an hour, far more than an answer takes."""


@pytest.mark.parametrize("hours", [0, 1, -1])
def test_a_clock_is_set_beneath_a_process_that_runs(hours: int, tmp_path: Path) -> None:
    clock = MachineClock(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", TELLING],
        env=clock.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        for offset_s in (0, 3600 * hours, 0):
            clock.jump(1000 * offset_s - (clock.now_ms() - time.time_ns() // 1_000_000))
            process.stdin.write("\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            assert told["wall"] == pytest.approx([time.time() + offset_s] * 3, abs=NEAR_S)
            assert told["monotonic"] == pytest.approx([time.monotonic()] * 2, abs=NEAR_S)
            assert max(told["slept"]) < NEAR_S
        process.stdin.close()
        assert process.wait(NEAR_S) == 0


def test_a_clock_tells_by_how_much_it_was_off(tmp_path: Path) -> None:
    clock, start = MachineClock(tmp_path), time.monotonic()
    clock.jump(HOUR_MS)
    clock.jump(-3 * HOUR_MS)
    assert clock.offsets_ms(start - 2, start - 1) == [0]
    assert clock.offsets_ms(start - 1, time.monotonic()) == [0, HOUR_MS, -2 * HOUR_MS]
    later = time.monotonic() + 1
    assert clock.offsets_ms(later, later) == [-2 * HOUR_MS]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Disk, Path]]:
    with Disk(tmp_path, tmp_path / "data") as disk:
        yield disk, tmp_path / "data"


def test_a_disk_is_full_and_has_room_again(disk: tuple[Disk, Path]) -> None:
    one, folder = disk
    with one.full(), pytest.raises(OSError, match="No space left") as refused:
        (folder / "more").write_bytes(bytes(10_000))
    assert refused.value.errno == errno.ENOSPC
    (folder / "more").write_bytes(bytes(10_000))


def test_a_disk_that_fails_is_read_only_until_it_is_mounted_anew(disk: tuple[Disk, Path]) -> None:
    one, folder = disk
    with (folder / "open").open("wb", buffering=0) as file:
        one.fail()
        with pytest.raises(OSError, match="Read-only") as refused:
            file.write(b"more")
    assert refused.value.errno == errno.EROFS
    one.mend()
    (folder / "more").write_bytes(b"more")
