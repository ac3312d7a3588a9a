"""Roles as processes of their own on a broker: two collectors, two predictors, two adapters."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.load import measured
from tests.chaos.supervised import Process
from tests.chaos.wirings import SETTINGS, Machine, Wiring, disk_of, text
from tests.contract.kafka_log import KafkaLog, link_to
from tests.e2e.components.kafka import Kafka

PARTITIONS = 2
COLLECTORS, PREDICTORS, ADAPTERS = (
    ("collector", "other collector"),
    ("predictor", "other predictor"),
    ("one", "other"),
)


@contextlib.contextmanager
def on_kafka(folder: Path, *, faked: bool = False, own_disk: bool = False) -> Iterator[Wiring]:
    """All collectors are on one machine, each other process is on one of its own. The disk is of the first collector, for what
    waits for brokers."""
    machines = {name: Machine(folder / name, faked) for name in (*PREDICTORS, *ADAPTERS)}
    collector, other = COLLECTORS
    first = Machine(folder / collector, faked)
    collectors = {collector: first, other: Machine(folder / other, faked, first)}
    with contextlib.ExitStack() as running:
        broker = running.enter_context(Kafka(folder))
        link = link_to(broker.address, folder).model_copy(update={"partitions": PARTITIONS})
        place = link.model_dump(mode="json", by_alias=True, exclude_none=True)
        settings: dict[str, object] = {**SETTINGS, "log": {"kafka": place}}
        load = running.enter_context(measured(first.clock))
        disk = running.enter_context(disk_of(first, own_disk))
        policies = text(settings, *load.policies.values())
        programs = {
            name: running.enter_context(machine.runs(policies, "collect", until_ready=False))
            for name, machine in collectors.items()
        }
        programs |= {
            name: running.enter_context(machines[name].runs(text(settings), "predict", until_ready=False))
            for name in PREDICTORS
        }
        programs |= {
            name: running.enter_context(machines[name].runs(text(settings), "serve")) for name in ADAPTERS
        }
        yield Wiring(
            load=load,
            open_log=lambda: KafkaLog(link, range(PARTITIONS)),
            processes={name: Process(program) for name, program in programs.items()},
            adapters={name: programs[name].program for name in ADAPTERS},
            alone={name: name for name in ADAPTERS},
            clocks={name: machine.clock for name, machine in (machines | collectors).items()},
            disk=disk,
            broker=broker,
        )
