"""How the processes are put together. A wiring names them, so that a fault can be done to any."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import yaml

from cme.core.documents import parse_document
from cme.core.policy import ScalingPolicy
from tests.chaos.counted import METRIC, Counted
from tests.chaos.machine import Disk, MachineClock
from tests.chaos.supervised import Process, Supervised
from tests.run.program import Program, free_port
from tests.unit.adapter.api.authority import Authority

RATE_WINDOW_MS, STALE_MS, FORECAST_STALE_MS = 5_000, 10_000, 180_000
SETTINGS = {
    "apiVersion": "tidecast.dev/v1alpha1",
    "kind": "Settings",
    "tick": "1s",
    "rateWindow": "5s",
    "staleAfter": "10s",
}
PER_REPLICA = {"web": 40.0, "shop": 4.0}


@dataclass(frozen=True)
class Wiring:
    """What runs."""

    counted: Counted
    policies: Mapping[str, ScalingPolicy]
    log: Path
    """Folder of the embedded log."""
    processes: Mapping[str, Process]
    adapters: Mapping[str, Program]
    """Who answers the metrics API."""
    alone: Mapping[str, str]
    """By process the one adapter that suffers with it; that of the others all do."""
    clocks: Mapping[str, MachineClock]
    """By process that of its machine."""
    measuring: MachineClock
    """The clock that samples are stamped with."""
    disk: Disk | None
    """What the log is on, where it has one of its own."""

    @property
    def programs(self) -> set[Supervised]:
        return {process.supervised for process in self.processes.values()}


class Assembly(Protocol):
    """Puts a wiring together in a folder and lets it run."""

    def __call__(
        self, folder: Path, *, faked: bool = False, own_disk: bool = False
    ) -> contextlib.AbstractContextManager[Wiring]: ...


@dataclass(frozen=True)
class Machine:
    """A folder and a clock."""

    folder: Path
    faked: bool
    clock: MachineClock = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        object.__setattr__(self, "clock", MachineClock(self.folder))

    @contextlib.contextmanager
    def runs(self, settings: str, role: str = "up") -> Iterator[Supervised]:
        """A program under supervision."""
        file = self.folder / "settings.yaml"
        file.write_text(settings)
        environment = self.clock.environment if self.faked else {}
        program = Program(self.folder, "--config", str(file), role=role, environment=environment)
        with Supervised(program) as supervised:
            yield supervised
            supervised.stop()


@contextlib.contextmanager
def embedded(folder: Path, *, faked: bool = False, own_disk: bool = False) -> Iterator[Wiring]:
    """`tidecast up`: one process collects and predicts, its adapter's answers."""
    machine = Machine(folder / "up", faked)
    with Counted(machine.clock) as counted, _disk(machine, own_disk) as disk:
        policies = policies_of(counted)
        with machine.runs(_text(SETTINGS, *policies.values())) as up:
            yield Wiring(
                counted=counted,
                policies=policies,
                log=up.program.data,
                processes={"up": Process(up), "adapter": Process(up, is_adapter=True)},
                adapters={"up": up.program},
                alone={},
                clocks={"up": machine.clock},
                measuring=machine.clock,
                disk=disk,
            )


@contextlib.contextmanager
def followed(folder: Path, *, faked: bool = False, own_disk: bool = False) -> Iterator[Wiring]:
    """`tidecast up` serves its log; two `tidecast serve`, on machines of their own, follow it over mutual TLS."""
    up_on, one_on, other_on = (Machine(folder / name, faked) for name in ("up", "one", "other"))
    serving, following = _links(folder)
    with Counted(up_on.clock) as counted, _disk(up_on, own_disk) as disk:
        policies = policies_of(counted)
        with (
            up_on.runs(_text(SETTINGS | serving, *policies.values())) as up,
            one_on.runs(_text(SETTINGS | following), "serve") as one,
            other_on.runs(_text(SETTINGS | following), "serve") as other,
        ):
            yield Wiring(
                counted=counted,
                policies=policies,
                log=up.program.data,
                processes={
                    "up": Process(up),
                    "its adapter": Process(up, is_adapter=True),
                    "serve": Process(one),
                    "adapter": Process(one, is_adapter=True),
                },
                adapters={"up": up.program, "one": one.program, "other": other.program},
                alone={"serve": "one", "adapter": "one"},
                clocks={"up": up_on.clock, "serve": one_on.clock},
                measuring=up_on.clock,
                disk=disk,
            )


def policies_of(counted: Counted) -> dict[str, ScalingPolicy]:
    """`web` with a load made up from the time, without forecasts; `shop` with a counter that is scraped."""
    hits = {"scrape": {"targets": [counted.url], "metric": METRIC}}
    return {
        "web": _policy("web", "qps", {"demo": {"load": "tide"}}, {"tidecast.dev/force-raw": "true"}),
        "shop": _policy("shop", "hits", hits, {}),
    }


def _policy(name: str, signal: str, source: object, annotations: Mapping[str, str]) -> ScalingPolicy:
    document = {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": "demo", "annotations": annotations},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "signals": [{"name": signal, "source": source, "perReplica": PER_REPLICA[name]}],
        },
    }
    return parse_document(ScalingPolicy, document, name)


def _text(settings: Mapping[str, object], *policies: ScalingPolicy) -> str:
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


def _disk(machine: Machine, wanted: bool) -> contextlib.AbstractContextManager[Disk | None]:
    return Disk(machine.folder, machine.folder / "data") if wanted else contextlib.nullcontext()
