"""Killing `tidecast up` at random moments under load, and asking whether all it acknowledged is there."""

import contextlib
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cme.core.batch import Batch
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Log, Position
from cme.log.topics import TOPICS
from tests.crash.busy_up import line

STARTED = 400
"""A run has acknowledged as many batches, its policies and series, before its first tick."""
RUN_SECONDS = 3


@dataclass
class Acknowledged:
    """What the killed processes had printed: of timed topics all, of compacted ones the newest time by key."""

    timed: set[str] = field(default_factory=set)
    newest: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, printed: str) -> None:
        topic, key, time_ms, _ = printed.split("\t")
        if TOPICS[topic].keep_newest:
            self.newest[topic, key] = int(time_ms)
        else:
            self.timed.add(printed)


def kill_rounds(n: int, seed: int, folder: Path, first: int = 0) -> None:
    """Rounds `first` to `first` + n - 1 on one log: run, kill -9, reopen, compare every batch."""
    acknowledged = Acknowledged()
    for number in range(first, first + n):
        chance = random.Random(f"{seed}-up-{number}")
        printed = run_and_kill(folder, chance.randrange(1, STARTED), chance.random() * RUN_SECONDS)
        print(f"kill round {number} of seed {seed}: {len(printed)} batches acknowledged")
        for one in printed:
            acknowledged.take(one)
        verify(folder, acknowledged)


def run_and_kill(folder: Path, appends: int, delay_seconds: float) -> list[str]:
    """Kill a run some time behind its n-th line; returns the whole lines that it had printed."""
    command = [sys.executable, "-m", "tests.crash.busy_up", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        lines = [child.stdout.readline() for _ in range(appends)]
        time.sleep(delay_seconds)  # a random moment is what this is about
        assert child.poll() is None, "it ended by itself"
        child.kill()
        rest = child.stdout.read()
    whole = "".join([*lines, rest]).split("\n")[:-1]
    assert len(whole) >= appends
    return whole


def verify(folder: Path, acknowledged: Acknowledged) -> None:
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        batches = read_all(log)
        assert not [*log.damages, *log.verify()]
    there = {line(batch) for batch in batches}
    assert acknowledged.timed <= there
    newest = {(batch.topic, batch.key): batch.time_ms for batch in batches}
    lost = {of: t for of, t in acknowledged.newest.items() if newest.get(of, -1) < t}
    assert not lost


def read_all(log: Log) -> list[Batch]:
    position: Position = {}
    found: list[Batch] = []
    while (chunk := log.read(list(TOPICS), position, 1000)).batches:
        assert not chunk.damages
        found += chunk.batches
        position = chunk.position
    return found
