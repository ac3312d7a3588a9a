"""How the processes are put together. A wiring names them, so that a fault can be done to any."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

from cme.core.policy import ScalingPolicy
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Log
from tests.chaos.load import Load, measured
from tests.chaos.machine import Disk, MachineClock, forget
from tests.chaos.supervised import Process, Supervised
from tests.e2e.components.kafka import Kafka
from tests.run.program import Program, free_port
from tests.unit.adapter.api.authority import Authority

SETTINGS = {
    "apiVersion": "tidecast.dev/v1alpha1",
    "kind": "Settings",
    "tick": "1s",
    "rateWindow": "5s",
    "staleAfter": "10s",
}


@dataclass(frozen=True)
class Wiring:
    """What runs."""

    load: Load
    open_log: Callable[[], Log]
    """For reading."""
    processes: Mapping[str, Process]
    adapters: Mapping[str, Program]
    """Who answers the metrics API."""
    alone: Mapping[str, str]
    """By process the one adapter that suffers with it; that of the others all do."""
    clocks: Mapping[str, MachineClock]
    """By process that of its machine."""
    disk: Disk | None
    """What the log, or what waits for it, is on, where that has one of its own."""
    broker: Kafka | None = None
    """What has the log, where one does."""

    @property
    def starts(self) -> dict[str, int]:
        """How often the program of each process was started."""
        return {name: len(process.supervised.pids) for name, process in self.processes.items()}


class Assembly(Protocol):
    """Puts a wiring together in a folder and lets it run."""

    def __call__(
        self, folder: Path, *, faked: bool = False, own_disk: bool = False
    ) -> contextlib.AbstractContextManager[Wiring]: ...


class Machine:
    """A folder and a clock, which can be set where it is `faked`; a folder of another machine shares its clock."""

    def __init__(self, folder: Path, faked: bool, other: "Machine | None" = None) -> None:
        folder.mkdir()
        self.folder, self._faked = folder, faked
        self.clock: MachineClock = other.clock if other else MachineClock(folder)

    @contextlib.contextmanager
    def runs(self, settings: str, role: str = "up", until_ready: bool = True) -> Iterator[Supervised]:
        """A program under supervision."""
        file = self.folder / "settings.yaml"
        file.write_text(settings)
        environment = self.clock.environment if self._faked else {}
        program = Program(
            self.folder, "--config", str(file), role=role, until_ready=until_ready, environment=environment
        )
        supervised = Supervised(program)
        try:
            with supervised:
                yield supervised
                supervised.stop()
        finally:
            forget(supervised.pids)


@contextlib.contextmanager
def embedded(folder: Path, *, faked: bool = False, own_disk: bool = False) -> Iterator[Wiring]:
    """`tidecast up`: one process collects and predicts, its adapter's answers."""
    machine = Machine(folder / "up", faked)
    with (
        measured(machine.clock) as load,
        disk_of(machine, own_disk) as disk,
        machine.runs(text(SETTINGS, *load.policies.values())) as up,
    ):
        yield Wiring(
            load=load,
            open_log=_reading(up.program.data),
            processes={"up": Process(up), "adapter": Process(up, is_adapter=True)},
            adapters={"up": up.program},
            alone={},
            clocks={"up": machine.clock},
            disk=disk,
        )


@contextlib.contextmanager
def followed(folder: Path, *, faked: bool = False, own_disk: bool = False) -> Iterator[Wiring]:
    """`tidecast up` serves its log; two `tidecast serve`, on machines of their own, follow it over mutual TLS."""
    up_on, one_on, other_on = (Machine(folder / name, faked) for name in ("up", "one", "other"))
    serving, following = _links(folder)
    with (
        measured(up_on.clock) as load,
        disk_of(up_on, own_disk) as disk,
        up_on.runs(text(SETTINGS | serving, *load.policies.values())) as up,
        one_on.runs(text(SETTINGS | following), "serve") as one,
        other_on.runs(text(SETTINGS | following), "serve") as other,
    ):
        yield Wiring(
            load=load,
            open_log=_reading(up.program.data),
            processes={
                "up": Process(up),
                "its adapter": Process(up, is_adapter=True),
                "serve": Process(one),
                "adapter": Process(one, is_adapter=True),
            },
            adapters={"up": up.program, "one": one.program, "other": other.program},
            alone={"serve": "one", "adapter": "one"},
            clocks={"up": up_on.clock, "serve": one_on.clock},
            disk=disk,
        )


def _reading(folder: Path) -> Callable[[], Log]:
    return lambda: EmbeddedLog.open(folder, writable=False)


def text(settings: Mapping[str, object], *policies: ScalingPolicy) -> str:
    """Of a configuration file."""
    documents = [policy.model_dump(mode="json", by_alias=True, exclude_unset=True) for policy in policies]
    return str(yaml.safe_dump_all([dict(settings), *documents]))


def _links(folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    """Settings of both sides of a served log."""
    authority, address = Authority("log"), f"127.0.0.1:{free_port()}"
    (folder / "ca.crt").write_text(authority.pem)

    def link(field: str) -> dict[str, object]:
        pair = authority.issue(folder, field)
        files = {"caFile": folder / "ca.crt", "certFile": pair.certificate, "keyFile": pair.key}
        return {field: {"address": address} | {name: str(path) for name, path in files.items()}}

    return link("serveLog"), link("followLog")


def disk_of(machine: Machine, wanted: bool) -> contextlib.AbstractContextManager[Disk | None]:
    """Beneath its data."""
    return Disk(machine.folder, machine.folder / "data") if wanted else contextlib.nullcontext()
