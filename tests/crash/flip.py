"""Flipping one byte of a log at rest, and asking whether that is noticed and what else is lost."""

import contextlib
import random
import shutil
from pathlib import Path

from cme.log.database import FILE
from cme.log.embedded import EmbeddedLog
from tests.crash.content import batch, expected, group, read_counters
from tests.crash.kill import append_and_kill

LOST = 1
"""A byte lies in one record at most."""


def make_logs(folder: Path, seed: int) -> tuple[list[Path], int]:
    """A log with a WAL, as a killed writer leaves it, and the same without one; the last counter in both."""
    with_wal, without = folder / "with-wal", folder / "without-wal"
    last = append_and_kill(with_wal, 0, 150 + seed % 50, 0.0)
    shutil.copytree(with_wal, without)
    with contextlib.closing(EmbeddedLog.open(without, writable=True)) as log:
        last = max(read_counters(log)[0])
    assert (with_wal / f"{FILE}-wal").stat().st_size
    assert not (without / f"{FILE}-wal").exists()
    return [with_wal, without], last


def flip_rounds(n: int, seed: int, folder: Path, first: int = 0) -> None:
    """Rounds `first` to `first` + n - 1, each with one flip on a copy of a log with a WAL or without."""
    logs, last = make_logs(folder, seed)
    for number in range(first, first + n):
        chance = random.Random(f"{seed}-{number}")
        copy = folder / f"round-{number}"
        shutil.copytree(logs[number % 2], copy)
        files = [path for path in (copy / f"{FILE}-wal", copy / FILE) if path.exists()]
        print(f"flip round {number} of seed {seed}: {flip(chance.choice(files), chance)}")
        flip_round(copy, last)
        shutil.rmtree(copy)


def flip(path: Path, chance: random.Random) -> str:
    """Change one byte of a file; returns what was changed."""
    at, by = chance.randrange(path.stat().st_size), chance.randrange(1, 256)
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(1)[0]
        file.seek(at)
        file.write(bytes([old ^ by]))
    return f"{path.name}, byte {at}, {old:#04x} to {old ^ by:#04x}"


def flip_round(folder: Path, last: int) -> None:
    """Every batch is there or damage is named; then the writer goes on, having lost no batch but the one of that byte."""
    complete = expected(last)
    with contextlib.closing(EmbeddedLog.open(folder, writable=False)) as log:
        found, _ = read_counters(log)
        assert found >= complete or log.verify(), f"nothing tells that {sorted(complete - found)} are gone"
    with contextlib.closing(EmbeddedLog.open(folder, writable=True)) as log:
        found, damages = read_counters(log)
        lost = complete - found
        assert len(lost) <= LOST
        assert not lost or damages or log.damages
        log.append(group(last + 1))
    with contextlib.closing(EmbeddedLog.open(folder, writable=False)) as log:
        again, _ = read_counters(log)
        assert {each.epoch for each in group(last + 1)} <= again
        assert found <= again | superseded(last)


def superseded(last: int) -> set[int]:
    """Keyed batches that the batches behind `last` replace."""
    keys = {each.key for each in group(last + 1)}
    return {i for i in range(0, last + 1, 7) if batch(i).key in keys}
