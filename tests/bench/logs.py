"""What the log carries, and what it takes: `python -m tests.bench.logs [--runs R] [--batches N] [--without-kafka]`.

First how fast N batches of a kind are appended, and read by another reader, one at a time and fifty at a time: by the embedded
log, by a follower of it over TLS, and on one real broker; in brackets the median of the ratios to the embedded log in the same
run. The embedded log waits for the disk at each append, so that it survives a loss of power. The broker leaves that to its
replicas, of which there are none here: what replication costs is not in it. What is read was just written, so that it comes from
memory. The followed log is appended to as the embedded one. The broker is made for a quick start (320 MB of heap, no optimising
compiler).

Then what the topics take, of a fleet as `tests.bench.scale` has it: tests/bench/log_sizes.py.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from cme.core.batch import Batch
from cme.core.durations import DAY_MS, MINUTE_MS
from cme.log.protocol import Log, Position
from cme.log.record import encode
from tests.bench import log_sizes
from tests.bench.log_batches import TICK_MS, Fleet
from tests.bench.machine import load_average
from tests.contract.kafka_log import on_kafka
from tests.contract.log_laws import IMPLEMENTATIONS, Implementation
from tests.e2e.components.kafka import Kafka

START_MS = 20_500 * DAY_MS
WORKLOADS, SIGNALS = 1_000, ("qps",)
KINDS = {"samples": TICK_MS, "minutes": MINUTE_MS, "decisions": TICK_MS}
"""How far a topic's batches are apart."""
AT_ONCE = (1, 50)
READ_ONLY = "followed"
_ROW = "{:10s}{:>9s}{:>9s}{:>8s} {:9s}" + "{:>28s}{:>10s}" + "\n"


class Case(NamedTuple):
    topic: str
    at_once: int
    action: str
    log: str


Seconds = dict[Case, list[float]]
"""Of each run."""


def batches_of(fleet: Fleet, topic: str, count: int) -> list[Batch]:
    turns = (fleet.turns[topic](START_MS + number * KINDS[topic]) for number in range(count))
    return [batch for turn in turns for batch in turn]


def timed(action: Callable[[], None]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def append(log: Log, batches: Sequence[Batch], at_once: int) -> None:
    for first in range(0, len(batches), at_once):
        log.append(batches[first : first + at_once])


def read(log: Log, topic: str, after: Position, count: int, at_once: int) -> None:
    """All that is behind a position. Raises RuntimeError when that is another number than `count`."""
    chunk = log.read([topic], after, at_once)
    found = 0
    while chunk.batches:
        found += len(chunk.batches)
        chunk = log.read([topic], chunk.position, at_once)
    if found != count:
        raise RuntimeError(f"{found} batches of {topic} were read instead of {count}")


def run(folder: Path, kinds: dict[str, list[Batch]], logs: Sequence[Implementation], found: Seconds) -> None:
    """Each case once; the implementations take turns."""
    for topic, batches in kinds.items():
        for at_once in AT_ONCE:
            for one in logs:
                place = folder / f"{one.name}-{topic}-{at_once}"
                place.mkdir()
                appending, reading = _of_one(one, place, batches, at_once)
                if one.name != READ_ONLY:
                    found.setdefault(Case(topic, at_once, "append", one.name), []).append(appending)
                found.setdefault(Case(topic, at_once, "read", one.name), []).append(reading)


def _of_one(one: Implementation, place: Path, batches: Sequence[Batch], at_once: int) -> tuple[float, float]:
    """Seconds of appending and of reading."""
    topic = batches[0].topic
    with ExitStack() as stack:
        writer = one.writer(place)
        stack.callback(writer.close)
        appending = timed(lambda: append(writer, batches, at_once))
        reader = one.reader(place)
        stack.callback(reader.close)
        begun = reader.read([topic], {}, 1)  # opens what is opened once
        left = len(batches) - len(begun.batches)
        return appending, timed(lambda: read(reader, topic, begun.position, left, at_once))


def rows(found: Seconds, kinds: dict[str, list[Batch]]) -> Iterator[tuple[str, ...]]:
    yield "batches of", "each", "at once", "", "log", "median", "ratio"
    for case, seconds in found.items():
        batches = kinds[case.topic]
        megabytes, spent = sum(len(encode(one)) for one in batches) / 1e6, statistics.median(seconds)
        beside = found[case._replace(log="embedded")]
        ratio = statistics.median(ours / theirs for ours, theirs in zip(beside, seconds, strict=True))
        rates = f"{megabytes / spent:,.1f} MB/s {len(batches) / spent:,.0f}/s"
        each = f"{1000 * megabytes / len(batches):.0f} kB"
        yield case.topic, each, str(case.at_once), case.action, case.log, rates, f"({ratio:.2f})"


def report(folder: Path, logs: Sequence[Implementation], runs: int, count: int) -> Iterator[str]:
    fleet, found = Fleet(WORKLOADS, SIGNALS), Seconds()
    kinds = {topic: batches_of(fleet, topic, count) for topic in KINDS}
    for number in range(runs):
        (place := folder / str(number)).mkdir()
        run(place, kinds, logs, found)
    yield f"{count} batches of {WORKLOADS} workloads of a signal, {runs} runs, {load_average()}\n"
    yield from (_ROW.format(*row) for row in rows(found, kinds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--without-kafka", action="store_true")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder, logs = Path(stack.enter_context(tempfile.TemporaryDirectory())), list(IMPLEMENTATIONS)
        broker = None if args.without_kafka else stack.enter_context(Kafka(folder))
        if broker:
            logs.append(on_kafka(broker.address))
        for line in report(folder, logs, args.runs, args.batches):
            print(line, end="", flush=True)
        for line in log_sizes.report(folder, broker):
            print(line, end="", flush=True)


if __name__ == "__main__":
    main()
