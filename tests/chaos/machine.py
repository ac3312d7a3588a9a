"""What fails beneath a process: the clock of its machine (libfaketime), and the disk that its data are on."""

import contextlib
import errno
import itertools
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.machine import lack, require

_SLEEPS = Path(__file__).with_name("faked")
_LIBRARY = "faketime/libfaketimeMT.so.1"
_DISK_BYTES = 64 << 20


class Jump(NamedTuple):
    """At a monotonic moment, in seconds; by how much the clock was off before and after it, in ms."""

    moment_s: float
    before_ms: int
    after_ms: int


class MachineClock:
    """The wall clock of a machine, which can be set. Of a process with its `environment` only the wall clock is faked."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._sets: list[tuple[float, int]] = [(-1e9, 0)]  # (monotonic seconds, offset in ms)
        self._write(0)

    @property
    def environment(self) -> dict[str, str]:
        """Skips the test where there is no libfaketime."""
        found = list(Path("/usr/lib").glob(f"*/{_LIBRARY}"))
        if not found:
            lack("this machine lacks Debian's package faketime")
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(_SLEEPS),
        }

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._sets[-1][1]

    def jump(self, ms: int) -> None:
        offset = self._sets[-1][1] + ms
        self._write(offset)
        self._sets.append((time.monotonic(), offset))

    def offsets_ms(self, since_s: float, until_s: float) -> list[int]:
        """By which it was off between two monotonic moments."""
        ends = [moment for moment, _ in self._sets[1:]] + [float("inf")]
        return [
            offset
            for (begun, offset), end in zip(self._sets, ends, strict=True)
            if begun <= until_s and end >= since_s
        ]

    def jumps(self, since_s: float, until_s: float) -> list["Jump"]:
        """Those between two monotonic moments."""
        steps = itertools.pairwise(self._sets)
        return [
            Jump(moment, before, after)
            for (_, before), (moment, after) in steps
            if since_s <= moment <= until_s
        ]

    def _write(self, offset_ms: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset_ms / 1000:+.3f}s\n")
        new.replace(self._file)  # whole at any moment


def forget(pids: Iterable[int]) -> None:
    """Remove what libfaketime leaves of killed processes: it would keep one with such an id from starting."""
    for pid in pids:
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            Path("/dev/shm", name).unlink(missing_ok=True)


class Disk:
    """A small ext4 of its own, mounted while the block runs. It can be filled up, and the kernel can be made to find an error
    on it, whereupon it is read-only until it is mounted anew."""

    def __init__(self, folder: Path, mounted: Path) -> None:
        self._image, self._at = folder / "disk.img", mounted
        self._ballast = mounted / "ballast"

    def __enter__(self) -> "Disk":
        """Skips the test where nothing may be mounted."""
        require("mkfs.ext4", "e2fsck", "mount", "umount")
        with self._image.open("wb") as file:
            file.truncate(_DISK_BYTES)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        self._at.mkdir(parents=True)
        try:
            self._mount()
        except subprocess.CalledProcessError as error:
            lack(f"this machine lacks the right to mount a disk ({error.stderr.strip()})")
        return self

    def __exit__(self, *error: object) -> None:
        _run("umount", "--lazy", str(self._at))  # a process that is ending may still hold it

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                _write_up(file.fileno(), bytes(size))
        yield
        self._ballast.unlink()

    def fail(self) -> None:
        """From now on it is read-only, whatever is open there."""
        device = self._at.stat().st_dev
        name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("test")

    def mend(self) -> None:
        """Check it and mount it anew. Nobody may hold anything there. Raises CalledProcessError."""
        _run("umount", str(self._at))
        checked = subprocess.run(["e2fsck", "-fy", str(self._image)], capture_output=True, text=True)
        assert checked.returncode in (0, 1), checked.stdout  # 1: errors, corrected
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self._at))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _write_up(file: int, block: bytes) -> None:
    """Until there is no room for such a block."""
    try:
        while True:
            os.write(file, block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
