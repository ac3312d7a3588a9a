"""The metrics API of an adapter in this process."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from adapter.access.gate import Gate
from adapter.access.users import MASTERS
from adapter.api.app import MetricsApi
from adapter.api.readiness import Readiness
from cme.core.clock import SystemClock
from cme.runtime.telemetry import AdapterTelemetry
from tests.contract.metrics_api.client import Client
from tests.unit.adapter.access.cluster import Cluster
from tests.unit.adapter.api.listening import listening
from tests.unit.adapter.stage import Stage, policy

TOKEN = "t0ken"
WEB = policy("web")
API = policy("api", signals=[{"name": "qps", "source": {"x": {}}, "perReplica": 100}])
"""An External metric is of one workload: that of web which this one has not."""
TOLD = {"object_label": "example.com/name=web"}
"""What no adapter tells of itself: a label that one of the workloads has."""


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Of an adapter that serves two workloads, one of them with two pods."""
    stage = Stage(WEB, API, now_ms=SystemClock().now_ms())
    for of, pods in ((WEB, ("web-1", "web-2")), (API, ())):
        name = of.metadata.name
        stage.measure(of, qps=250.25)
        stage.run(of, *pods, own={"example.com/name": name}, app=name)
    stage.measure(WEB, queue_backlog=20_000.0)
    stage.decide()
    cluster = Cluster(tokens={TOKEN: {"username": "kit", "groups": [MASTERS]}})
    gate = await asyncio.to_thread(Gate, cluster, stage.clock)
    api = MetricsApi(
        stage.view, stage.answers, gate, AdapterTelemetry(CollectorRegistry()), Readiness(stage.view)
    )
    async with listening(api) as url:
        yield Client(url, credentials={"Authorization": f"Bearer {TOKEN}"})
