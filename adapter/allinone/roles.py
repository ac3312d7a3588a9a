"""`tidecast collect` and `tidecast predict`: one role as a process of its own, on a log that several may write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from adapter.allinone.cluster import Cluster
from adapter.allinone.collecting import Collecting
from adapter.allinone.launch import StartFailed, listen, refuse_strangers, set_by_signals
from adapter.allinone.ops import served
from adapter.allinone.predicting import Predicting
from adapter.allinone.shares import Begin, Shares, Work
from cme.core.clock import Clock, SystemClock
from cme.core.identity import share_of
from cme.core.progress import silent
from cme.core.settings import Configuration, KafkaLink, Settings
from cme.policies.standing import check
from cme.runtime import garbage
from cme.runtime.partitioned import Partitioned
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import CollectorTelemetry, PredictorTelemetry, RoleTelemetry

if TYPE_CHECKING:
    from cme.log.kafka.log import KafkaLog
    from cme.log.kafka.membership import Membership

Say = Callable[[str], None]


@dataclass
class _Role:
    """What both have. `members` knows which partitions are ours."""

    configuration: Configuration
    link: KafkaLink
    members: "Membership"
    clock: Clock
    metrics: Partitioned

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    @contextlib.asynccontextmanager
    async def log_of(self, partition: int, writer: str) -> "AsyncIterator[KafkaLog]":
        from cme.log.kafka.log import KafkaLog

        holds = partial(self.members.holds, partition)
        opened = await asyncio.to_thread(KafkaLog, self.link, [partition], writer, holds)
        try:
            yield opened
        finally:
            self.metrics.end(partition)
            await asyncio.to_thread(opened.close)


Opened = Callable[[_Role], contextlib.AbstractAsyncContextManager[Begin]]
"""What begins the work of a role on a partition, while it is open."""


def collect(configuration: Configuration, say: Say) -> None:
    """Run until stopped by a signal. Raises TidecastError when it can't start."""
    for policy in configuration.policies:
        check(policy, configuration.settings)
    asyncio.run(_until_stopped(configuration, "collector", _collecting, say))


def predict(configuration: Configuration, say: Say) -> None:
    """Run until stopped by a signal. Raises TidecastError when it can't start."""
    asyncio.run(_until_stopped(configuration, "predictor", _predicting, say))


async def _until_stopped(configuration: Configuration, name: str, opened: Opened, say: Say) -> None:
    settings, link = configuration.settings, _link(configuration.settings)
    from cme.log.kafka.creation import establish
    from cme.log.kafka.membership import Membership

    refuse_strangers(settings)
    stopping = asyncio.Event()
    set_by_signals(stopping)
    registry, metrics = CollectorRegistry(), Partitioned()
    registry.register(metrics)
    role = _Role(configuration, link, Membership(link, name), SystemClock(), metrics)
    with listen(settings.http, "--http") as sock:
        await asyncio.to_thread(establish, link)
        async with opened(role) as begin:
            telemetry = RoleTelemetry(registry)
            shares = Shares(role.members, begin, role.clock, telemetry)
            settling = every(garbage.PERIOD_MS, role.clock, garbage.settle, telemetry.faults.inc)
            async with served(sock, registry, lambda: shares.agreed):
                say(f"metrics:     http://{settings.http}/metrics")
                running = (asyncio.create_task(loop) for loop in (shares.run(), settling))
                await _first(*running, asyncio.create_task(stopping.wait()))


async def _first(*tasks: "asyncio.Task[Any]") -> None:
    """Until one ends; then all are stopped. Raises what it ended with."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await stop(*tasks)


def _link(settings: Settings) -> KafkaLink:
    """Raises StartFailed where the log takes one writer only."""
    if settings.log is None:
        raise StartFailed(
            "the log in a folder has one process that writes it, tidecast up; for collect and predict as processes of their "
            "own add log.kafka to the settings"
        )
    return settings.log.kafka


@contextlib.asynccontextmanager
async def _collecting(role: _Role) -> AsyncIterator[Begin]:
    """The cluster's policies are followed once for all partitions."""
    whole = CollectorTelemetry(CollectorRegistry())  # of what no partition is about
    cluster = await asyncio.to_thread(Cluster.of, role.clock, role.settings, whole)

    @contextlib.asynccontextmanager
    async def begin(partition: int) -> AsyncIterator[Work]:
        async with role.log_of(partition, "collector") as log:
            telemetry = CollectorTelemetry(role.metrics.begin(partition))
            work = await asyncio.to_thread(
                Collecting,
                role.configuration,
                (),
                log,
                role.clock,
                telemetry,
                cluster,
                lambda standing: share_of(standing.key, role.link.partitions) == partition,
            )
            try:
                await work.start()
                yield work
            finally:
                await work.close()

    if cluster is None:
        yield begin
        return
    period_ms, turn = cluster.beat
    following = asyncio.create_task(every(period_ms, role.clock, turn, whole.faults.inc))
    try:
        yield begin
    finally:
        await stop(following)
        cluster.close()


@contextlib.asynccontextmanager
async def _predicting(role: _Role) -> AsyncIterator[Begin]:
    @contextlib.asynccontextmanager
    async def begin(partition: int) -> AsyncIterator[Work]:
        folder = role.settings.data / f"partition-{partition}"
        folder.mkdir(parents=True, exist_ok=True)
        async with role.log_of(partition, "predictor") as log:
            telemetry = PredictorTelemetry(role.metrics.begin(partition))
            work = await asyncio.to_thread(
                Predicting, log, role.clock, role.settings, telemetry, folder, silent
            )
            try:
                yield work
            finally:
                await work.close()

    yield begin
