"""What a collector and a predictor do on a log that several may write: the same on each partition that is theirs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from adapter.allinone.cluster import Cluster
from adapter.allinone.collecting import Collecting
from adapter.allinone.predicting import Predicting
from adapter.allinone.shares import Begin, Loops
from cme.core.batch import Batch
from cme.core.clock import Clock
from cme.core.durations import MINUTE_MS
from cme.core.identity import share_of
from cme.core.progress import silent
from cme.core.settings import Configuration, KafkaLink, Settings
from cme.log.outbox import Outbox
from cme.log.protocol import LogFailed, LogFenced
from cme.log.spool import Spool
from cme.policies.standing import Standing
from cme.runtime.partitioned import Partitioned
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import CollectorTelemetry, PredictorTelemetry
from predictor.mirror import Mirror

if TYPE_CHECKING:
    from cme.log.kafka.log import KafkaLog
    from cme.log.kafka.membership import Membership

DELIVER_MS = 1_000
FENCE_MS = 500
COPY_MS = MINUTE_MS
"""How often the predictor's memory is looked at for what its next owner should have."""


@dataclass
class Role:
    """One of them in this process. `members` knows which partitions are ours."""

    configuration: Configuration
    link: KafkaLink
    members: "Membership"
    clock: Clock
    metrics: Partitioned

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    def folder(self, partition: int) -> Path:
        """What a process keeps of a partition; made when there is something."""
        return self.settings.data / f"partition-{partition}"

    def is_in(self, partition: int, standing: Standing) -> bool:
        """Whether a policy's workload is measured and decided there."""
        return share_of(standing.key, self.link.partitions) == partition

    @contextlib.asynccontextmanager
    async def log_of(self, partition: int, writer: str) -> "AsyncIterator[KafkaLog]":
        from cme.log.kafka.log import KafkaLog

        holds = partial(self.members.holds, partition, self.members.term)
        opened = await asyncio.to_thread(KafkaLog, self.link, [partition], writer, holds)
        try:
            yield opened
        finally:
            self.metrics.end(partition)
            await asyncio.to_thread(opened.close)

    def outbox(self, log: "KafkaLog", partition: int, telemetry: CollectorTelemetry) -> Outbox:
        """What a collector writes through."""

        def drop(batch: Batch) -> None:
            telemetry.buffer_dropped.labels(batch.topic).inc()

        return Outbox(log, Spool(self.folder(partition) / "outbox", int(self.link.buffer), drop))

    async def while_ours(self, log: "KafkaLog") -> None:
        """Until another writes it: what is known of it then is of before. Raises LogFenced."""
        while not log.fenced:
            await self.clock.sleep_until(self.clock.monotonic_ms() + FENCE_MS)
        raise LogFenced("another process has it, or has had it; it is read anew if it is ours again")


Opened = Callable[[Role], contextlib.AbstractAsyncContextManager[Begin]]
"""What begins the work of a role on a partition, while it is open."""


@contextlib.asynccontextmanager
async def collecting(role: Role) -> AsyncIterator[Begin]:
    """The cluster's policies are followed once for all partitions."""
    whole = CollectorTelemetry(CollectorRegistry())  # of what no partition is about
    cluster = await asyncio.to_thread(Cluster.of, role.clock, role.settings, whole)
    begin = partial(_collecting_on, role, cluster)
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
async def _collecting_on(role: Role, cluster: Cluster | None, partition: int) -> AsyncIterator[Loops]:
    async with role.log_of(partition, "collector") as log:
        telemetry = CollectorTelemetry(role.metrics.begin(partition))
        outbox = await asyncio.to_thread(role.outbox, log, partition, telemetry)

        async def deliver() -> bool:
            return await asyncio.to_thread(outbox.deliver)

        if not await deliver():  # its minutes are completed from what the log has
            raise LogFailed("what waits on the disk is still to be delivered")
        mine = partial(role.is_in, partition)
        work = await asyncio.to_thread(
            Collecting, role.configuration, (), outbox, role.clock, telemetry, cluster, mine
        )
        try:
            await work.start()
            delivering = every(DELIVER_MS, role.clock, deliver, telemetry.faults.inc)
            yield [*work.loops(), delivering, role.while_ours(log)]
        finally:
            await work.close()


@contextlib.asynccontextmanager
async def predicting(role: Role) -> AsyncIterator[Begin]:
    yield partial(_predicting_on, role)


@contextlib.asynccontextmanager
async def _predicting_on(role: Role, partition: int) -> AsyncIterator[Loops]:
    folder = role.folder(partition)
    async with role.log_of(partition, "predictor") as log:
        telemetry = PredictorTelemetry(role.metrics.begin(partition))
        mirror = Mirror(log, role.clock, folder)
        await asyncio.to_thread(mirror.fetch)

        async def copy() -> None:
            await asyncio.to_thread(mirror.copy)

        work = await asyncio.to_thread(Predicting, log, role.clock, role.settings, telemetry, folder, silent)
        try:
            copying = every(COPY_MS, role.clock, copy, telemetry.faults.inc)
            yield [*work.loops(), copying, role.while_ours(log)]
        finally:
            await work.close()
            await copy()
