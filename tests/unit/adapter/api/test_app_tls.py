"""Who may ask over TLS: the real handshake, on loopback."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from adapter.access.gate import Gate
from adapter.api import tls
from adapter.api.app import MetricsApi
from adapter.api.own_certificate import CA_FILE
from adapter.api.readiness import Readiness
from cme.core.errors import InvalidInput
from cme.core.settings import Certificate
from cme.runtime.telemetry import AdapterTelemetry
from tests.unit.adapter.access.cluster import HPA, PROXY_NAME, Cluster
from tests.unit.adapter.api.authority import Authority, Pair
from tests.unit.adapter.api.listening import listening
from tests.unit.adapter.api.test_tls import generated
from tests.unit.adapter.stage import Stage, policy

QPS = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/deployments.apps/web/qps"
ASKS = {"X-Remote-User": HPA}


class Served:
    """The API behind TLS, in a cluster where the HPA may read metrics."""

    def __init__(self, folder: Path) -> None:
        web_ = policy("web")
        stage = Stage(web_)
        stage.measure(web_, qps=250.0)
        self.cluster = Cluster(allowed={(HPA, "*"), (HPA, "/apis"), ("alice", "*")})
        self.gate = Gate(self.cluster, stage.clock)
        self.folder = folder
        self.certificate = Certificate(cert_file=folder / "tls.crt", key_file=folder / "tls.key")
        self.renew()
        self.tls = tls.ServerTls(self.certificate, self.gate.trust.authorities)
        telemetry = AdapterTelemetry(CollectorRegistry())
        self.api = MetricsApi(stage.view, stage.answers, self.gate, telemetry, Readiness(stage.view))
        self.url = ""

    def renew(self) -> None:
        """Another certificate in the two files that an administrator gives."""
        pair = generated(self.folder).cert_file.read_bytes()
        self.certificate.cert_file.write_bytes(pair)
        self.certificate.key_file.write_bytes(pair)

    async def refresh(self) -> None:
        await self.gate.refresh()
        self.tls.refresh(self.gate.trust.authorities)


class Clients:
    """Of one server, each with a certificate of its own or without."""

    def __init__(self, url: str, ca: Path) -> None:
        self._url, self._ca = url, ca

    def session(self, pair: Pair | None = None) -> aiohttp.ClientSession:
        context = ssl.create_default_context(cafile=self._ca)
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=1))

    async def ask(self, session: aiohttp.ClientSession, path: str, headers: dict[str, str]) -> int:
        async with session.get(self._url + path, headers=headers) as response:
            await response.text()
            return response.status

    async def get(self, path: str, headers: dict[str, str], pair: Pair | None = None) -> int:
        async with self.session(pair) as session:
            return await self.ask(session, path, headers)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    made = Served(tmp_path / "tls")
    async with listening(made.api, made.tls.context) as made.url:
        yield made


@pytest.fixture
def clients(served: Served) -> Clients:
    return Clients(served.url, served.folder / CA_FILE)


def front_proxy(served: Served, folder: Path, name: str = PROXY_NAME) -> Pair:
    return served.cluster.proxy.issue(folder, name)


async def test_the_front_proxy_asks_for_the_hpa(served: Served, clients: Clients, tmp_path: Path) -> None:
    pair = front_proxy(served, tmp_path)
    assert await clients.get(QPS, ASKS, pair) == 200
    assert await clients.get("/apis", ASKS, pair) == 200


async def test_a_person_asks_with_a_certificate_of_his_own(
    served: Served, clients: Clients, tmp_path: Path
) -> None:
    assert await clients.get(QPS, {}, served.cluster.clients.issue(tmp_path, "alice")) == 200
    assert await clients.get(QPS, ASKS, served.cluster.clients.issue(tmp_path, "eve")) == 403


@pytest.mark.parametrize("headers", [{}, {"X-Remote-User": ""}])
async def test_the_front_proxy_must_say_for_whom_it_asks(
    headers: dict[str, str], served: Served, clients: Clients, tmp_path: Path
) -> None:
    assert await clients.get(QPS, headers, front_proxy(served, tmp_path)) == 403


async def test_another_name_of_the_same_ca_is_refused(
    served: Served, clients: Clients, tmp_path: Path
) -> None:
    assert await clients.get(QPS, ASKS, front_proxy(served, tmp_path, "somebody")) == 403


async def test_the_right_name_of_another_ca_is_refused(clients: Clients, tmp_path: Path) -> None:
    pair = Authority("front-proxy-ca").issue(tmp_path, PROXY_NAME)
    with pytest.raises(aiohttp.ClientError):
        await clients.get(QPS, ASKS, pair)


async def test_without_a_certificate_only_health_is_open(clients: Clients) -> None:
    assert await clients.get("/healthz", {}) == 200
    assert await clients.get(QPS, ASKS) == 403


async def test_a_new_front_proxy_ca_counts_without_a_restart(
    served: Served, clients: Clients, tmp_path: Path
) -> None:
    old = front_proxy(served, tmp_path, PROXY_NAME)
    served.cluster.proxy = Authority("front-proxy-ca-2")
    (tmp_path / "new").mkdir()
    new = front_proxy(served, tmp_path / "new")
    with pytest.raises(aiohttp.ClientError):
        await clients.get(QPS, ASKS, new)
    await served.refresh()
    assert await clients.get(QPS, ASKS, new) == 200
    with pytest.raises(aiohttp.ClientError):
        await clients.get(QPS, ASKS, old)


async def test_a_trust_that_can_not_be_read_leaves_the_old_one(
    served: Served, clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.cluster, "get", lambda path: {"data": {}})
    await served.refresh()
    assert await clients.get(QPS, ASKS, front_proxy(served, tmp_path)) == 200


async def test_a_renewed_certificate_is_served_and_drops_no_connection(
    served: Served, clients: Clients, tmp_path: Path
) -> None:
    pair = front_proxy(served, tmp_path)
    async with clients.session(pair) as session:
        assert await clients.ask(session, QPS, ASKS) == 200
        (served.folder / "server.pem").unlink()
        served.renew()
        await served.refresh()
        assert await clients.ask(session, QPS, ASKS) == 200  # the same connection, by the old CA
    assert await clients.get(QPS, ASKS, pair) == 200  # a new one, by the new CA


async def test_half_a_renewal_leaves_the_old_certificate(
    served: Served, clients: Clients, tmp_path: Path
) -> None:
    other = generated(tmp_path / "other")
    served.certificate.cert_file.write_bytes(other.cert_file.read_bytes())
    with pytest.raises(InvalidInput):
        await served.refresh()
    assert await clients.get(QPS, ASKS, front_proxy(served, tmp_path)) == 200
