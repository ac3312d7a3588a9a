"""Who may ask over TLS: the real handshake, on loopback."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from adapter.api import tls
from adapter.api.app import MetricsApi
from adapter.api.front_proxy import FrontProxy
from cme.runtime.telemetry import AdapterTelemetry
from tests.unit.adapter.api.authority import Authority, Pair
from tests.unit.adapter.stage import Stage, policy

QPS = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/deployments.apps/web/qps"
HPA = {"X-Remote-User": "system:serviceaccount:kube-system:horizontal-pod-autoscaler"}
FRONT_PROXY = Authority("front-proxy-ca")


def app() -> tuple[web.Application, FrontProxy]:
    web_ = policy("web")
    stage = Stage(web_)
    stage.measure(web_, qps=250.0)
    proxy = FrontProxy(FRONT_PROXY.pem, ["front-proxy-client"], ["X-Remote-User"], ["X-Remote-Group"])
    telemetry = AdapterTelemetry(CollectorRegistry())
    return MetricsApi(stage.view, stage.answers, proxy, telemetry).app, proxy


class Clients:
    """Of one server, each with a certificate of its own or without."""

    def __init__(self, server: TestServer, ca: Path) -> None:
        self._server, self._ca = server, ca

    async def get(self, path: str, headers: dict[str, str], pair: Pair | None = None) -> int:
        context = ssl.create_default_context(cafile=self._ca)
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        async with (
            aiohttp.ClientSession() as session,
            session.get(self._server.make_url(path), headers=headers, ssl=context) as response,
        ):
            await response.json() if path == QPS else await response.text()
            return response.status


@pytest.fixture
async def clients(tmp_path: Path) -> AsyncIterator[Clients]:
    application, proxy = app()
    folder = tmp_path / "tls"
    context = tls.server_context(tls.generated(folder, datetime.now(UTC)), proxy)
    server = TestServer(application)
    await server.start_server(ssl=context)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(server.close)
        yield Clients(server, folder / tls.CA_FILE)


async def test_the_front_proxy_asks_for_the_hpa(clients: Clients, tmp_path: Path) -> None:
    pair = FRONT_PROXY.issue(tmp_path, "front-proxy-client")
    assert await clients.get(QPS, HPA, pair) == 200
    assert await clients.get("/apis", HPA, pair) == 200


async def test_the_front_proxy_must_say_for_whom_it_asks(clients: Clients, tmp_path: Path) -> None:
    assert await clients.get(QPS, {}, FRONT_PROXY.issue(tmp_path, "front-proxy-client")) == 401


async def test_another_name_of_the_same_ca_is_refused(clients: Clients, tmp_path: Path) -> None:
    assert await clients.get(QPS, HPA, FRONT_PROXY.issue(tmp_path, "somebody")) == 401


async def test_the_right_name_of_another_ca_is_refused(clients: Clients, tmp_path: Path) -> None:
    pair = Authority("front-proxy-ca").issue(tmp_path, "front-proxy-client")
    with pytest.raises(aiohttp.ClientError):
        await clients.get(QPS, HPA, pair)


async def test_without_a_certificate_only_health_is_open(clients: Clients) -> None:
    assert await clients.get("/healthz", {}) == 200
    assert await clients.get(QPS, HPA) == 401
