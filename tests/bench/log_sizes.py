"""What each topic takes, of WORKLOADS of three signals: from the encoders themselves, and by what the files of an embedded log
and of a broker grow while it is written turn by turn. A broker has one copy here; the log is kept by as many as it replicates
to."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cme.core.batch import Batch
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.log.embedded import EmbeddedLog
from cme.log.record import encode
from cme.log.topics import TOPICS
from predictor.grid import BEAT_MS
from tests.bench.fleet import SIGNALS
from tests.bench.log_batches import TICK_MS, Fleet
from tests.contract.kafka_log import link_to, on_kafka
from tests.e2e.components.kafka import Kafka

WORKLOADS = 1_000
START_MS = 20_500 * DAY_MS
PERIODS = {
    "replicas": MINUTE_MS,
    "samples": TICK_MS,
    "minutes": MINUTE_MS,
    "hours": HOUR_MS,
    "forecasts": MINUTE_MS,
    "forecast_history": BEAT_MS,
    "decisions": TICK_MS,
    "decompositions": DAY_MS,
    "trust": BEAT_MS,
    "prior": DAY_MS,
}
"""How far turns are apart, at a tick of 5 s; what is not here is written when it changes."""
MEASURED = [topic for topic in TOPICS if topic != "state"]
"""`state` has copies of the engine's memory on Kafka, once an hour: as large as that is (docs/forecasting.md)."""
TURNS = 20
TRANSACTIONS = "__transaction_state"
_ROW = "{:17s}{:>10s}{:>10s}{:>12s}{:>12s}{:>14s}{:>24s}\n"


class Grown(NamedTuple):
    """Bytes of TURNS turns."""

    encoded: int
    in_file: int
    in_kafka: int


def grown(fleet: Fleet, topic: str, folder: Path, broker: Kafka | None) -> Grown:
    period, write = PERIODS.get(topic, MINUTE_MS), fleet.turns[topic]
    turns = [write(START_MS + number * period) for number in range(TURNS)]
    encoded = sum(len(encode(batch)) for turn in turns for batch in turn)
    in_kafka = _in_kafka(turns, folder, broker) if broker else 0
    return Grown(encoded, _in_file(turns, folder), in_kafka)


def _in_file(turns: Sequence[Sequence[Batch]], folder: Path) -> int:
    """Without what an empty log has."""
    for number, appended in enumerate(([], turns)):
        log = EmbeddedLog.open(folder / str(number), writable=True)
        for turn in appended:
            log.append(turn)
        log.close()
    return _bytes(folder / "1", "*") - _bytes(folder / "0", "*")


def _in_kafka(turns: Sequence[Sequence[Batch]], folder: Path, broker: Kafka) -> int:
    """In all topics of the log: some have a copy."""
    log = on_kafka(broker.address).writer(folder)
    for turn in turns:
        log.append(turn)
    log.close()
    return _bytes(broker.data, f"{link_to(broker.address, folder).prefix}.*/*.log")


def _bytes(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))


def rows(fleet: Fleet, folder: Path, broker: Kafka | None) -> Iterator[tuple[str, ...]]:
    yield "topic", "turns/day", "B a turn", "encoded/day", "SQLite/day", "Kafka/day", "kept by SQLite"
    of_all = np.zeros(3)
    for topic in MEASURED:
        (place := folder / topic).mkdir()
        seen, period = grown(fleet, topic, place, broker), PERIODS.get(topic)
        of_all += np.array(seen) * (DAY_MS / period if period else 0) / TURNS / fleet.series
        yield topic, *_row(topic, seen, fleet.series, period)
    yield "all", "", "", f"{of_all[0]:,.0f}", "", f"{of_all[2]:,.0f}", ""


def _row(topic: str, seen: Grown, series: int, period_ms: int | None) -> Iterator[str]:
    """All a series."""
    turn = [taken / TURNS / series for taken in seen]
    a_day = DAY_MS / period_ms if period_ms else 0
    keep, newest = TOPICS[topic].keep_ms, TOPICS[topic].keep_newest
    yield f"{a_day:,.0f}" if a_day else "changes"
    yield f"{turn[0]:.0f}"
    yield f"{a_day * turn[0]:,.0f}" if a_day else ""
    yield f"{a_day * turn[1]:,.0f}" if keep and a_day else ""
    yield f"{a_day * turn[2]:,.0f}" if a_day else ""
    if keep and a_day:
        yield f"{a_day * turn[1] * keep / DAY_MS / 1000:,.0f} kB in {_days(keep)}"
    else:
        yield f"{seen.in_file / series / (TURNS if keep or not newest else 1):,.0f} B"


def _days(ms: int) -> str:
    return f"{ms // DAY_MS} days" if ms >= DAY_MS else f"{ms // HOUR_MS} hours"


def report(folder: Path, broker: Kafka | None) -> Iterator[str]:
    """`folder` is for the logs, and may hold other things."""
    fleet, told = Fleet(WORKLOADS, SIGNALS), _transactions(broker)
    (own := folder / "sizes").mkdir()
    yield f"\nBytes a series of {WORKLOADS} workloads with {len(SIGNALS)} signals each, tick {TICK_MS // 1000} s\n"
    yield from (_ROW.format(*row) for row in rows(fleet, own, broker))
    if broker:
        each = (_transactions(broker) - told) / TURNS / len(MEASURED)
        yield f"beside that the broker writes {each:.0f} B of each append into {TRANSACTIONS}\n"


def _transactions(broker: Kafka | None) -> int:
    return _bytes(broker.data, f"{TRANSACTIONS}-*/*.log") if broker else 0
