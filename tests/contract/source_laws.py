"""What a law of the sources needs: for each registered kind a real counterpart that answers well, partly or not.

The broker of the kafka source has tests of its own; here its place is taken by the offsets it would tell.
"""

import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cme.core.settings import Connection
from cme.sources.host import Host
from cme.sources.host import Spec as HostSpec
from cme.sources.protocol import Source, SourceFailed
from cme.sources.registry import open_source
from tests.contract.kafka_import import KafkaConnectionError, kafka
from tests.contract.source_web import PLAIN, Web, web_server

NOW_MS = 1_700_000_000_000
TIMEOUT_S = 5.0

SPECS: Mapping[str, dict[str, Any]] = {
    "prometheus": {"connection": "main", "query": "load", "workloadLabel": "app"},
    "scrape": {"targets": ["http://one", "http://two"], "metric": "load"},
    "kafka": {"connection": "main", "topic": "jobs", "group": "workers"},
    "host": {"direction": "in", "interfaces": ["eth0", "eth1"]},
    "demo": {"load": "tide"},
}
"""By kind: what stands in a policy."""


def connections(address: str) -> dict[str, Connection]:
    return {"main": Connection(address=address)}


@dataclass
class Counterpart:
    """A source, and ways to make what it reads answer in full, without one of its two parts, or not at all."""

    source: Source
    well: Callable[[], None]
    partly: Callable[[], None]
    broken: Callable[[], None]


def vector(*series: dict[str, Any]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}}).encode()


def sample(app: str, text: str, seconds: float = NOW_MS / 1000) -> dict[str, Any]:
    return {"metric": {"app": app}, "value": [seconds, text]}


def interfaces(**counters: object) -> str:
    rows = [f"{name}: {value} 0 0 0 0 0 0 0 {value} 0 0 0 0 0 0 0\n" for name, value in counters.items()]
    return "Inter-| Receive\n face |bytes\n" + "".join(rows)


async def fails(source: Source) -> None:
    """It does, twice, with the same words."""
    texts = []
    for _ in range(2):
        with pytest.raises(SourceFailed) as caught:
            await source.read(NOW_MS, TIMEOUT_S)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


@asynccontextmanager
async def prometheus() -> AsyncIterator[tuple[Source, Web]]:
    async with web_server() as web:
        source = open_source({"prometheus": SPECS["prometheus"]}, connections(web.url), "default", "test")
        try:
            yield source, web
        finally:
            await source.close()


@asynccontextmanager
async def scrape(targets: int) -> AsyncIterator[tuple[Source, list[Web]]]:
    async with AsyncExitStack() as stack:
        webs = [await stack.enter_async_context(web_server()) for _ in range(targets)]
        spec = {"targets": [f"{web.url}/metrics" for web in webs], "metric": "load"}
        source = open_source({"scrape": spec}, {}, "default", "test")
        try:
            yield source, webs
        finally:
            await source.close()


class ScriptedKafka(kafka.Kafka):
    """The kafka source with its thread and its sums, told its offsets by the test."""

    def __init__(self, group: str | None = "workers") -> None:
        super().__init__("jobs", group, "broker:9092")
        self.says: Callable[[], kafka.Offsets] = lambda: offsets(committed=90)

    def _ask(self) -> kafka.Offsets:
        return self.says()


def offsets(committed: int) -> kafka.Offsets:
    return kafka.Offsets(end={0: 100, 1: 100}, first={0: 0, 1: 0}, committed={0: 50, 1: committed})


@asynccontextmanager
async def counterpart(kind: str, folder: Path) -> AsyncIterator[Counterpart]:
    """The counterpart of a kind, answering well."""
    async with AsyncExitStack() as stack:
        made = await _COUNTERPARTS[kind](stack, folder)
        made.well()
        try:
            yield made
        finally:
            await made.source.close()


async def _prometheus(stack: AsyncExitStack, folder: Path) -> Counterpart:
    source, web = await stack.enter_async_context(prometheus())
    return Counterpart(
        source,
        lambda: web.answers(vector(sample("a", "5"), sample("b", "7")), "application/json"),
        lambda: web.answers(vector(sample("a", "5"), sample("b", "?")), "application/json"),
        lambda: setattr(web, "raw", b""),
    )


async def _scrape(stack: AsyncExitStack, folder: Path) -> Counterpart:
    source, webs = await stack.enter_async_context(scrape(2))

    def break_first(count: int) -> None:
        for web in webs:
            web.answers(b"load 5\n", PLAIN)
        for web in webs[:count]:
            web.raw = b""

    return Counterpart(source, lambda: break_first(0), lambda: break_first(1), lambda: break_first(2))


async def _kafka(stack: AsyncExitStack, folder: Path) -> Counterpart:
    source = ScriptedKafka()

    def refuse() -> kafka.Offsets:
        raise KafkaConnectionError(f"at {math.pi}")

    return Counterpart(
        source,
        lambda: setattr(source, "says", lambda: offsets(committed=90)),
        lambda: setattr(source, "says", lambda: offsets(committed=110)),
        lambda: setattr(source, "says", refuse),
    )


async def _host(stack: AsyncExitStack, folder: Path) -> Counterpart:
    path = folder / "dev"

    def write(text: str) -> None:
        path.write_text(text)

    return Counterpart(
        Host(HostSpec.model_validate(SPECS["host"]), None, path),
        lambda: write(interfaces(eth0=5, eth1=7)),
        lambda: write(interfaces(eth0=5)),
        path.unlink,
    )


async def _demo(stack: AsyncExitStack, folder: Path) -> Counterpart:
    source = open_source({"demo": SPECS["demo"]}, {}, "default", "test")
    return Counterpart(source, *[lambda: None] * 3)


_COUNTERPARTS = {
    "prometheus": _prometheus,
    "scrape": _scrape,
    "kafka": _kafka,
    "host": _host,
    "demo": _demo,
}
KINDS_WITH_COUNTERPART = frozenset(_COUNTERPARTS)
