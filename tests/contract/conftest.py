"""The metrics API of an adapter in this process."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from adapter.access.gate import Gate
from adapter.access.users import MASTERS
from adapter.api.app import MetricsApi
from cme.core.clock import SystemClock
from cme.runtime.telemetry import AdapterTelemetry
from tests.contract.metrics_api.client import Client
from tests.unit.adapter.access.cluster import Cluster
from tests.unit.adapter.api.listening import listening
from tests.unit.adapter.stage import Stage, policy

TOKEN = "t0ken"
WEB = policy("web")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Of an adapter that serves a workload with two pods."""
    stage = Stage(WEB, now_ms=SystemClock().now_ms())
    stage.measure(WEB, qps=250.25, queue_backlog=20_000.0)
    stage.run(WEB, "web-1", "web-2", app="web")
    stage.decide()
    cluster = Cluster(tokens={TOKEN: {"username": "kit", "groups": [MASTERS]}})
    gate = await asyncio.to_thread(Gate, cluster, stage.clock)
    api = MetricsApi(stage.view, stage.answers, gate, AdapterTelemetry(CollectorRegistry()))
    async with listening(api) as url:
        yield Client(url, credentials={"Authorization": f"Bearer {TOKEN}"})
