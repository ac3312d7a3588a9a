"""A stage for the collector: a manual clock, a real log, and sources that do what the test says."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from cme.collector.loop import Collector
from cme.core.batch import Batch
from cme.core.clock import ManualClock
from cme.core.documents import Document, parse_document
from cme.core.durations import HOUR_MS
from cme.core.policy import ScalingPolicy
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection, Settings
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Log, Position
from cme.log.reading import batches_behind
from cme.policies.standing import Standing
from cme.runtime.telemetry import CollectorTelemetry
from cme.sources import registry
from cme.sources.protocol import SourceKind

START = 500_000 * HOUR_MS
Says = Callable[[int], Awaitable[Harvest]]


class ScriptSpec(Document):
    """Of the source `script`, which says what `Stage.script` has under its name."""

    name: str
    note: str = ""
    connection: str | None = None
    workload_label: str | None = None


class Stage:
    """All that outlives a restart of the collector, and the collector that runs now."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = ManualClock(START)
        self.log: Log = EmbeddedLog.open(folder / "log", writable=True)
        self.script: dict[str, Says] = {}
        self.reads: list[str] = []
        self.timeouts: list[float] = []
        self.closed: list[str] = []
        assert isinstance(registry.KINDS, dict)
        monkeypatch.setitem(registry.KINDS, "script", SourceKind("script", ScriptSpec, self._open))

    def _open(self, spec: ScriptSpec, connection: Connection | None) -> "Script":
        return Script(self, spec.name)

    async def start(self, *policies: ScalingPolicy, log: Log | None = None, **settings: Any) -> Collector:
        """A collector of a new process."""
        self.metrics = CollectorRegistry()
        self.settings = Settings.model_validate({"tick": "1s", **settings})
        telemetry = CollectorTelemetry(self.metrics)
        collector = Collector(log or self.log, self.clock, self.settings, telemetry)
        await collector.start([Standing.valid(one) for one in policies])
        return collector

    async def ticks(self, collector: Collector, count: int, ms: int = 5_000) -> None:
        for _ in range(count):
            self.clock.advance(ms)
            await collector.tick()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.get_sample_value(f"tidecast_{name}", labels)

    def batches(self, topic: str) -> list[Batch]:
        return list(batches_behind(self.log, [topic], {}))

    def newest(self) -> dict[int, tuple[float, str]]:
        """By series the value and problem of the last tick."""
        batch = self.batches("samples")[-1]
        told = zip(batch.numbers("value").tolist(), batch.texts("problem"), strict=True)
        return dict(zip(batch.series.tolist(), told, strict=True))


class Script:
    def __init__(self, stage: Stage, name: str) -> None:
        self._stage, self._name = stage, name

    async def read(self, now_ms: int, timeout_s: float) -> Harvest:
        self._stage.reads.append(self._name)
        self._stage.timeouts.append(timeout_s)
        return await self._stage.script[self._name](now_ms)

    async def close(self) -> None:
        self._stage.closed.append(self._name)


def policy(name: str, *sources: dict[str, Any], namespace: str = "default") -> ScalingPolicy:
    """Of a Deployment of the same name; signals are called a, b, c ..."""
    signals = [
        {"name": chr(ord("a") + index), "source": source, "perReplica": 1}
        for index, source in enumerate(sources)
    ]
    document = {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "signals": signals,
        },
    }
    return parse_document(ScalingPolicy, document, name)


def scripted(name: str, **more: Any) -> dict[str, Any]:
    return {"script": {"name": name, **more}}


def ids(of: ScalingPolicy) -> list[int]:
    return [of.series(signal).id for signal in of.spec.signals]


def steady(value: float) -> Says:
    async def say(now_ms: int) -> Harvest:
        return Harvest([Reading("one", value, now_ms)], {"": 1})

    return say


def raising(error: BaseException) -> Says:
    async def say(now_ms: int) -> Harvest:
        raise error

    return say


async def hanging(now_ms: int) -> Harvest:
    await asyncio.Event().wait()
    raise AssertionError("never")


class RefusingLog:
    """A log whose disk is full while `error` is set, and which takes its time while it is not `open`."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.error: Exception | None = None
        self.largest = 0
        self.open = threading.Event()
        self.open.set()

    def append(self, batches: Sequence[Batch]) -> Position:
        self.open.wait()
        self.largest = max(self.largest, len(batches))
        if self.error:
            raise self.error
        return self.log.append(batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)
