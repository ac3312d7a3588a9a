"""tidecast as processes of its own with many workloads, on the embedded log or on a broker."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cme.core.settings import KafkaLink
from tests.bench.fleet import NAMESPACES
from tests.bench.scale_served import Place
from tests.bench.scale_source import LABEL, query
from tests.e2e.components.kafka import Kafka
from tests.run.program import Program, adapter_of

PATIENCE_S = 300
"""A bound on waiting for a start, not a claim."""
CONNECTION = "bench"


class Roles(NamedTuple):
    """How many processes of each there are on a broker."""

    collectors: int
    predictors: int
    adapters: int = 1


class Site(NamedTuple):
    pids: dict[str, int]
    """Of the processes, by what they do."""
    adapter: Program
    """The first one."""


def places(workloads: int) -> list[Place]:
    return [Place(f"team-{number % NAMESPACES:03d}", f"service-{number:05d}") for number in range(workloads)]


def settings(tick_s: float, source: int, log: KafkaLink | None) -> dict[str, Any]:
    """`source`: the port."""
    found: dict[str, Any] = {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "Settings",
        "tick": f"{tick_s:g}s",
        "connections": {CONNECTION: {"address": f"http://127.0.0.1:{source}"}},
    }
    if log:
        found["log"] = {"kafka": log.model_dump(mode="json", by_alias=True, exclude_none=True)}
    return found


def policy(place: Place, signals: Sequence[str]) -> dict[str, Any]:
    sources = {
        name: {"connection": CONNECTION, "query": query(place.namespace, name), "workloadLabel": LABEL}
        for name in signals
    }
    return {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": place.name, "namespace": place.namespace},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": place.name},
            "signals": [
                {"name": name, "source": {"prometheus": source}, "perReplica": "40"}
                for name, source in sources.items()
            ],
            "forecast": {"quantile": 0.95, "lead": "15m"},
            "scaleDown": {"window": "10m", "maxDecrease": "10%/1m"},
        },
    }


def write(file: Path, documents: Sequence[dict[str, Any]]) -> None:
    """JSON is YAML, too."""
    file.write_text("".join(f"---\n{json.dumps(one)}\n" for one in documents))


@contextmanager
def up(folder: Path, config: Path) -> Iterator[Site]:
    with _program(folder, config, "up") as program:
        parent = program.process.pid
        yield Site({"collector and predictor": parent, "adapter": _answering(parent)}, program)


@contextmanager
def on_kafka(folder: Path, config: Path, broker: Kafka, roles: Roles) -> Iterator[Site]:
    with ExitStack() as stack:
        pids, found = {"broker": broker.pid}, dict[str, Program]()
        for role, count in (
            ("collect", roles.collectors),
            ("predict", roles.predictors),
            ("serve", roles.adapters),
        ):
            for number in range(1, count + 1):
                program = stack.enter_context(_program(folder, config, role, number))
                pid = program.process.pid
                pids[f"{role} {number}"] = _answering(pid) if role == "serve" else pid
                found.setdefault(role, program)
        yield Site(pids, found["serve"])


def _program(folder: Path, config: Path, role: str, number: int = 1) -> Program:
    own = folder / f"{role}-{number}"
    own.mkdir()
    return Program(own, "--config", str(config), role=role, until_ready=False, patience_s=PATIENCE_S)


def _answering(parent: int) -> int:
    """The adapter's process that it has started."""
    found = adapter_of(parent)
    assert found is not None
    return found
