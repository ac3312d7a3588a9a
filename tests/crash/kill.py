"""Killing a writer at random moments, and asking what is left."""

import contextlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from tests.crash.content import expected, group, read_counters

BASE_SEED = int(os.environ.get("TIDECAST_SEED", "20261124"))
"""Seed of all crash tests; each round's own seed follows from it and is printed."""


def kill_rounds(n: int, seed: int, folder: Path, first: int = 0) -> None:
    """Rounds `first` to `first` + n - 1 on one log: append, kill -9, reopen, compare every batch."""
    for number in range(first, first + n):
        chance = random.Random(f"{seed}-{number}")
        print(f"kill round {number} of seed {seed}")
        kill_round(folder, chance)


def kill_round(folder: Path, chance: random.Random) -> None:
    start = next_counter(folder)
    acknowledged = append_and_kill(folder, start, chance.randrange(1, 120), chance.random() * 0.003)
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        found, damages = read_counters(log)
        assert not [*damages, *log.damages, *log.verify()]
    assert max(found) >= acknowledged
    assert found == expected(max(found))
    assert_whole_groups(start, max(found))


def assert_whole_groups(start: int, last: int) -> None:
    """Of a call of `append` all batches must be there or none."""
    while start <= last:
        start += len(group(start))
    assert start == last + 1


def next_counter(folder: Path) -> int:
    """The counter behind the last one in the log."""
    if not (folder / FILE).exists():
        return 0
    with contextlib.closing(EmbeddedLog.open(folder, writable=False)) as log:
        return max(read_counters(log)[0], default=-1) + 1


def append_and_kill(folder: Path, start: int, appends: int, delay_seconds: float) -> int:
    """Kill a writer some time behind its n-th append; returns the last counter that it had printed."""
    command = [sys.executable, "-m", "tests.crash.writer", str(folder), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        lines = [child.stdout.readline() for _ in range(appends)]
        time.sleep(delay_seconds)  # so that the kill does not always meet the same place of the next append
        child.kill()
        rest = child.stdout.read()
    printed = "".join([*lines, rest]).split("\n")[:-1]
    assert len(printed) >= appends
    return int(printed[-1])
