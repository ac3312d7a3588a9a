"""Processes on a log that several may write: `tidecast collect`, `tidecast predict`, and all roles in one `tidecast up`."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from prometheus_client import CollectorRegistry

from adapter.allinone.launch import (
    AdapterProcess,
    StartFailed,
    first_end,
    listen,
    refuse_strangers,
    set_by_signals,
)
from adapter.allinone.ops import own_metrics, served
from adapter.allinone.roles import Opened, Role, collecting, predicting
from adapter.allinone.shares import Shares
from cme.core.clock import SystemClock
from cme.core.settings import Configuration, KafkaLink, Settings
from cme.policies.standing import check
from cme.runtime import garbage
from cme.runtime.partitioned import Partitioned
from cme.runtime.tasks import every, stop
from cme.runtime.telemetry import RoleTelemetry

Say = Callable[[str], None]


def collect(configuration: Configuration, say: Say) -> None:
    """Run until stopped by a signal. Raises TidecastError when it can't start."""
    for policy in configuration.policies:
        check(policy, configuration.settings)
    asyncio.run(_alone(configuration, "collector", collecting, say))


def predict(configuration: Configuration, say: Say) -> None:
    """Run until stopped by a signal. Raises TidecastError when it can't start."""
    asyncio.run(_alone(configuration, "predictor", predicting, say))


async def together(configuration: Configuration, http: socket.socket, https: socket.socket, say: Say) -> None:
    """All roles, until stopped by a signal. Raises TidecastError when it can't start, Stopped when a part ended."""
    stopping, registry = asyncio.Event(), CollectorRegistry()
    set_by_signals(stopping)
    telemetry = RoleTelemetry(registry)
    async with (
        own_metrics(registry) as ops_url,
        _sharing(configuration, "collector", collecting, registry, telemetry) as collectors,
        _sharing(configuration, "predictor", predicting, registry, telemetry) as predictors,
    ):
        adapter = await AdapterProcess.start(configuration.settings, http, https, ops_url)
        say(f"page:        http://{configuration.settings.http}/")
        loops = predictors.run(), collectors.run(), _settling(telemetry, "predictor")
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            await first_end(stopping, adapter, *tasks)
        finally:
            await stop(*tasks)
            await adapter.stop()


async def _alone(configuration: Configuration, name: str, opened: Opened, say: Say) -> None:
    settings = configuration.settings
    refuse_strangers(settings)
    stopping, registry = asyncio.Event(), CollectorRegistry()
    set_by_signals(stopping)
    telemetry = RoleTelemetry(registry)
    with listen(settings.http, "--http") as sock:
        async with (
            _sharing(configuration, name, opened, registry, telemetry) as shares,
            served(sock, registry, lambda: shares.agreed),
        ):
            say(f"metrics:     http://{settings.http}/metrics")
            loops = shares.run(), _settling(telemetry, name), stopping.wait()
            tasks = [asyncio.create_task(loop) for loop in loops]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await stop(*tasks)


def _settling(telemetry: RoleTelemetry, name: str) -> Coroutine[Any, Any, None]:
    """What is held stays out of garbage collections, until it is cancelled."""
    return every(garbage.PERIOD_MS, SystemClock(), garbage.settle, telemetry.faults.labels(name).inc)


@contextlib.asynccontextmanager
async def _sharing(
    configuration: Configuration,
    name: str,
    opened: Opened,
    registry: CollectorRegistry,
    telemetry: RoleTelemetry,
) -> AsyncIterator[Shares]:
    """A role's part in its group, to be run. Raises LogFailed, StartFailed."""
    link = _link(configuration.settings)
    from cme.log.kafka.creation import establish
    from cme.log.kafka.membership import Membership

    await asyncio.to_thread(establish, link)
    metrics = Partitioned()
    registry.register(metrics)
    role = Role(configuration, link, Membership(link, name), SystemClock(), metrics)
    async with opened(role) as begin:
        yield Shares(name, role.members, begin, role.clock, telemetry)


def _link(settings: Settings) -> KafkaLink:
    """Raises StartFailed where the log takes one writer only."""
    if settings.log is None:
        raise StartFailed(
            "the log in a folder has one process that writes it, tidecast up; for collect and predict as processes of their "
            "own add log.kafka to the settings"
        )
    return settings.log.kafka
