"""Once a role has begun, what it holds is left out of garbage collections."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from adapter.allinone.collecting import Collecting
from adapter.allinone.predicting import Predicting
from cme.core.clock import SystemClock
from cme.core.progress import silent
from cme.core.settings import Configuration, Settings
from cme.log.embedded import EmbeddedLog
from cme.runtime.tasks import stop
from cme.runtime.telemetry import CollectorTelemetry, PredictorTelemetry
from tests.bench.fleet import policies


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    with closing(EmbeddedLog.open(tmp_path / "log", writable=True)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


async def test_a_collector(log: EmbeddedLog) -> None:
    configuration = Configuration(Settings(), tuple(policies(1)))
    telemetry = CollectorTelemetry(CollectorRegistry())
    collecting = Collecting(configuration, (), log, SystemClock(), telemetry, None)
    await collecting.start()
    await collecting.close()
    assert gc.get_freeze_count() > 0


async def test_a_predictor(log: EmbeddedLog, tmp_path: Path) -> None:
    telemetry = PredictorTelemetry(CollectorRegistry())
    predicting = Predicting(log, SystemClock(), Settings(), telemetry, tmp_path, silent)
    tasks = [asyncio.create_task(loop) for loop in predicting.loops()]
    try:
        async with asyncio.timeout(10):
            while gc.get_freeze_count() == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        await stop(*tasks)
        await predicting.close()
