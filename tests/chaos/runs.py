"""All runs: `python -m tests.bench.chaos` makes the table of them, `make slow` holds them to the laws."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults import (
    A_LITTLE_BACK,
    AHEAD,
    AHEAD_A_WHILE,
    BACK,
    BEHIND_A_WHILE,
    FULL,
    FULL_AT_START,
    KILL,
    LOSE_BROKER,
    LOSE_BROKER_AND_FILL,
    LOSE_BROKER_AND_KILL,
    READ_ONLY,
    RESTART_BROKER,
    SUSPEND,
    SUSPEND_BROKER,
    Fault,
)
from tests.chaos.on_kafka import ADAPTERS, COLLECTORS, PREDICTORS, on_kafka
from tests.chaos.wirings import Assembly, embedded, followed


@dataclass(frozen=True)
class Run:
    """Faults that are done to processes one after the other, while a wiring runs."""

    name: str
    assembly: Assembly
    strikes: Sequence[tuple[Fault, str]]


def _each(fault: Fault, *processes: str) -> list[tuple[Fault, str]]:
    return [(fault, process) for process in processes]


_DISK = [(FULL, "up"), (FULL_AT_START, "up"), (READ_ONLY, "up")]
RUNS = [
    Run("embedded, killed", embedded, _each(KILL, "up", "adapter")),
    Run("embedded, stopped", embedded, _each(SUSPEND, "up", "adapter")),
    Run("embedded, disk", embedded, _DISK),
    Run("embedded, clock on", embedded, [(AHEAD, "up"), (KILL, "up"), (BACK, "up"), (KILL, "up")]),
    Run("embedded, clock a little back", embedded, _each(A_LITTLE_BACK, "up")),
    Run("embedded, clock back", embedded, [(BACK, "up"), (KILL, "up"), (AHEAD, "up"), (KILL, "up")]),
    Run("followed, killed", followed, _each(KILL, "up", "its adapter", "serve", "adapter")),
    Run("followed, stopped", followed, _each(SUSPEND, "up", "its adapter", "serve", "adapter")),
    Run("followed, disk", followed, _DISK),
    Run("followed, clock ahead", followed, _each(AHEAD_A_WHILE, "serve", "up")),
    Run("followed, clock behind", followed, _each(BEHIND_A_WHILE, "serve", "up")),
    Run("kafka, killed", on_kafka, _each(KILL, *COLLECTORS, *PREDICTORS, *ADAPTERS)),
    Run("kafka, stopped", on_kafka, _each(SUSPEND, "collector", "predictor", "one")),
    Run("kafka, others stopped", on_kafka, _each(SUSPEND, "other collector", "other predictor", "other")),
    Run(
        "kafka, broker",
        on_kafka,
        [(RESTART_BROKER, "broker"), (LOSE_BROKER, "broker"), (SUSPEND_BROKER, "broker")],
    ),
    Run("kafka, disk", on_kafka, _each(FULL, "collector") + _each(READ_ONLY, "collector")),
    Run(
        "kafka, broker and collector",
        on_kafka,
        _each(LOSE_BROKER_AND_FILL, "collector") + _each(LOSE_BROKER_AND_KILL, "other collector"),
    ),
    Run("kafka, clock ahead", on_kafka, _each(AHEAD_A_WHILE, "one", "predictor", "collector")),
    Run("kafka, clock behind", on_kafka, _each(BEHIND_A_WHILE, "one", "predictor", "collector")),
]
