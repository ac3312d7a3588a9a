"""The metrics API over HTTP."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yarl
from aiohttp import ClientResponse, ClientSession
from prometheus_client import CollectorRegistry

from adapter.access.gate import Gate
from adapter.api.app import MetricsApi
from adapter.api.readiness import Readiness
from cme.runtime.telemetry import AdapterTelemetry
from tests.unit.adapter.access.cluster import Cluster
from tests.unit.adapter.api.listening import listening
from tests.unit.adapter.stage import Stage, policy

WEB = policy("web")
CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"
QPS = f"{CUSTOM}/namespaces/shop/deployments.apps/web/qps"


class Api:
    """The API on the view of a stage."""

    def __init__(self) -> None:
        self.stage, self.registry = Stage(WEB, policy("api")), CollectorRegistry()
        self.stage.measure(WEB, qps=250.0, queue_backlog=60.0)
        self.stage.run(WEB, "web-1", "web-2", app="web")
        self.stage.decide()
        self.readiness = Readiness(self.stage.view)

    @contextlib.asynccontextmanager
    async def served(self, cluster: Cluster | None = None) -> AsyncIterator[ClientSession]:
        telemetry = AdapterTelemetry(self.registry)
        gate = Gate(cluster, self.stage.clock) if cluster else None
        metrics = MetricsApi(self.stage.view, self.stage.answers, gate, telemetry, self.readiness)
        async with listening(metrics) as url, ClientSession(url) as client:
            yield client

    def counted(self, code: int) -> float:
        labels = {"api": "metrics", "code": str(code)}
        return self.registry.get_sample_value("tidecast_http_requests_total", labels) or 0


@pytest.fixture
def api() -> Api:
    return Api()


async def status_of(response: ClientResponse, code: int) -> dict[str, Any]:
    """The Status object that the response must be."""
    assert response.status == code
    assert response.content_type == "application/json"
    document: dict[str, Any] = json.loads(await response.text())
    assert (document["kind"], document["apiVersion"], document["code"]) == ("Status", "v1", code)
    assert document["status"] == "Failure"
    return document


async def test_a_metric_of_an_object(api: Api) -> None:
    async with api.served() as client, client.get(QPS) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        (item,) = (await response.json())["items"]
        assert (item["describedObject"]["name"], item["value"]) == ("web", "250")


async def test_metrics_of_pods_with_the_selector_of_the_hpa(api: Api) -> None:
    path = f"{CUSTOM}/namespaces/shop/pods/*/qps_scaling?labelSelector=app%3Dweb&metricLabelSelector="
    async with api.served() as client, client.get(path) as response:
        items = (await response.json())["items"]
        assert [(i["describedObject"]["name"], i["value"]) for i in items] == [
            ("web-1", "125"),
            ("web-2", "125"),
        ]


async def test_an_external_metric_with_a_selector(api: Api) -> None:
    path = f"{EXTERNAL}/namespaces/shop/qps?labelSelector=tidecast.dev%2Fworkload%3Dweb"
    async with api.served() as client, client.get(path) as response:
        assert [i["value"] for i in (await response.json())["items"]] == ["250"]


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/apis", "APIGroupList"),
        ("/apis/custom.metrics.k8s.io", "APIGroup"),
        ("/apis/external.metrics.k8s.io", "APIGroup"),
        ("/apis/custom.metrics.k8s.io/v1beta1", "APIResourceList"),
        (CUSTOM, "APIResourceList"),
        (EXTERNAL, "APIResourceList"),
    ],
)
async def test_discovery_answers_before_the_log_was_read(path: str, kind: str, end: str, api: Api) -> None:
    api.stage.view.ready = False
    async with api.served() as client, client.get(path + end) as response:
        assert (response.status, (await response.json())["kind"]) == (200, kind)


@pytest.mark.parametrize(
    ("path", "field"), [("/openapi/v2", "swagger"), ("/openapi/v3", "paths"), ("/version", "gitVersion")]
)
async def test_documents_that_never_change(path: str, field: str, api: Api) -> None:
    async with api.served() as client, client.get(path) as response:
        assert response.status == 200
        assert field in await response.json()


V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def test_the_discovery_manager_gets_one_document_for_all(api: Api) -> None:
    headers = {"Accept": f"{V2},{V2.replace('v=v2', 'v=v2beta1')}"}
    async with api.served() as client, client.get("/apis", headers=headers) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, V2)
        assert response.headers["Vary"] == "Accept"
        assert (await response.json())["kind"] == "APIGroupDiscoveryList"


@pytest.mark.parametrize("path", ["/apis", "/openapi/v2", "/openapi/v3"])
async def test_a_document_is_sent_once(path: str, api: Api) -> None:
    async with api.served() as client:
        async with client.get(path) as response:
            tag = response.headers["ETag"]
        for known, status in ((tag, 304), (f'"other", W/{tag}', 304), ("*", 304), ('"other"', 200)):
            async with client.get(path, headers={"If-None-Match": known}) as response:
                assert (response.status, response.headers["ETag"]) == (status, tag)
                assert bool(await response.read()) == (status == 200)


async def test_what_a_document_lists_changes_with_the_policies(api: Api) -> None:
    async with api.served() as client:
        tags = []
        for _ in range(2):
            async with client.get("/apis", headers={"Accept": V2}) as response:
                tags.append(response.headers["ETag"])
            api.stage.describe(
                policy("queue", targetRef={"apiVersion": "x.io/v1", "kind": "Queue", "name": "q"})
            )
    assert tags[0] != tags[1]


async def test_openapi_of_a_version_may_be_kept_by_its_hash(api: Api) -> None:
    async with api.served() as client:
        async with client.get("/openapi/v3") as response:
            paths = (await response.json())["paths"]
        url = paths["apis/custom.metrics.k8s.io/v1beta2"]["serverRelativeURL"]
        for asked, kept in ((url, True), (url + "0", False)):
            async with client.get(asked) as response:
                assert response.status == 200
                assert ("immutable" in response.headers["Cache-Control"]) is kept


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        (f"{CUSTOM}/nodes/foo", 404, "the server could not find the requested resource"),
        ("/apis/metrics.k8s.io/v1beta1", 404, "the server could not find the requested resource"),
        ("/openapi/v3/apis/custom.metrics.k8s.io/v1beta9", 404, "could not find the requested resource"),
        (f"{CUSTOM}/namespaces/shop/qps", 400, "invalid request path"),
        (f"{QPS}?limit=many", 400, "limit must be a whole number"),
        (f"{EXTERNAL}/namespaces/shop/qps?fieldSelector=x", 400, "unable to parse field selector"),
        ("/", 404, "could not find the requested resource"),
        (f"{EXTERNAL}/namespaces/shop/group/qps", 404, "could not find the requested resource"),
        (f"{CUSTOM}/namespaces/shop/deployments.apps/gone/qps", 404, "there is no metric qps"),
        (f"{CUSTOM}/namespaces/shop/deployments.apps/web/latency", 404, "it has replicas_scaling"),
        (f"{EXTERNAL}/namespaces/shop/latency", 404, "has the metric latency"),
        (f"{EXTERNAL}/namespaces/shop/qps", 400, "2 workloads match (api, web)"),
        (f"{QPS}?metricLabelSelector=a%20b", 400, "unable to parse label selector"),
        (f"{CUSTOM}/namespaces/shop/deployments.apps/api/qps", 503, "qps has no fresh value"),
    ],
)
async def test_an_error_is_a_status_that_says_why(path: str, code: int, message: str, api: Api) -> None:
    async with api.served() as client, client.get(path) as response:
        assert message in (await status_of(response, code))["message"]


@pytest.mark.parametrize("path", ["/apis/%0A", "/%0A%0D", f"{QPS}%0A", "/apis/%FF", "/apis/%00"])
async def test_a_strange_path_is_a_status_too(path: str, api: Api) -> None:
    async with api.served() as client, client.get(yarl.URL(path, encoded=True)) as response:
        await status_of(response, 404)


async def test_a_path_that_no_metric_has_is_refused_before_anybody_is_asked(api: Api) -> None:
    cluster = Cluster()
    async with api.served(cluster) as client, client.get(f"{QPS}{'a' * 1_024}") as response:
        assert "longer than 1024 characters" in (await status_of(response, 400))["message"]
    assert not cluster.reviews


@pytest.mark.parametrize("expected", ["100-continue", "the impossible"])
async def test_who_expects_to_be_asked_for_a_body_is_answered_at_once(expected: str, api: Api) -> None:
    async with api.served() as client, client.get(QPS, headers={"Expect": expected}) as response:
        assert response.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_metrics_can_only_be_read(method: str, api: Api) -> None:
    async with api.served() as client, client.request(method, QPS) as response:
        assert (await status_of(response, 405))["reason"] == "MethodNotAllowed"


async def test_a_client_that_takes_no_json_is_told_so(api: Api) -> None:
    headers = {"Accept": "application/vnd.kubernetes.protobuf"}
    async with api.served() as client, client.get(QPS, headers=headers) as response:
        assert (await status_of(response, 406))["reason"] == "NotAcceptable"


@pytest.mark.parametrize("gated", [False, True])
async def test_health_is_open_to_everybody(gated: bool, api: Api) -> None:
    async with api.served(Cluster() if gated else None) as client:
        for path in ("/healthz", "/livez", "/readyz"):
            async with client.get(path, headers={"Accept": "text/plain"}) as response:
                assert (response.status, await response.text()) == (200, "ok")


async def test_only_readiness_waits_for_the_log(api: Api) -> None:
    api.stage.view.ready = False
    async with api.served() as client:
        codes = {}
        for path in ("/healthz", "/livez", "/readyz"):
            async with client.get(path) as response:
                codes[path] = response.status
        assert codes == {"/healthz": 200, "/livez": 200, "/readyz": 503}


async def test_who_leaves_is_not_ready_and_answers(api: Api) -> None:
    async with api.served() as client:
        api.readiness.leave()
        codes = {}
        for path in ("/healthz", "/livez", "/readyz", QPS):
            async with client.get(path) as response:
                codes[path] = response.status
        assert codes == {"/healthz": 200, "/livez": 200, "/readyz": 503, QPS: 200}


async def test_old_data_does_not_make_it_unready(api: Api) -> None:
    api.stage.clock.advance(86_400_000)
    async with api.served() as client, client.get("/readyz") as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "path",
    [
        QPS,
        f"{CUSTOM}/namespaces/shop/deployments.apps/gone/qps",
        f"{CUSTOM}/namespaces/shop/pods/*/gone?labelSelector=app%3Dgone",
        f"{EXTERNAL}/namespaces/shop/gone",
    ],
)
async def test_while_it_starts_nothing_is_said_to_be_missing(path: str, api: Api) -> None:
    api.stage.view.ready = False
    async with api.served() as client, client.get(path) as response:
        assert "tidecast is starting" in (await status_of(response, 503))["message"]


@pytest.mark.parametrize("path", [QPS, "/apis", "/version", "/openapi/v2", "/nowhere", "/healthz/"])
async def test_who_is_nobody_gets_nothing_whatever_his_headers_say(path: str, api: Api) -> None:
    forged = {"X-Remote-User": "system:kube-aggregator", "X-Remote-Group": "system:masters"}
    async with api.served(Cluster()) as client:
        for headers in ({}, forged):
            async with client.get(path, headers=headers) as response:
                document = await status_of(response, 403)
                assert document["reason"] == "Forbidden"
                assert 'User "system:anonymous" cannot get' in document["message"]


async def test_a_token_that_proves_nothing_is_unauthorized(api: Api) -> None:
    headers = {"Authorization": "Bearer forged"}
    async with api.served(Cluster()) as client, client.get(QPS, headers=headers) as response:
        assert (await status_of(response, 401))["reason"] == "Unauthorized"


async def test_a_token_with_the_permission_reads(api: Api) -> None:
    cluster = Cluster(tokens={"t0ken": {"username": "bob"}}, allowed={("bob", "*")})
    headers = {"Authorization": "Bearer t0ken"}
    async with api.served(cluster) as client, client.get(QPS, headers=headers) as response:
        assert response.status == 200


async def test_an_api_server_that_is_down_lets_nobody_in(api: Api) -> None:
    cluster = Cluster()
    async with api.served(cluster) as client:
        cluster.down = True
        async with client.get(QPS) as response:
            assert (await status_of(response, 503))["reason"] == "ServiceUnavailable"


async def test_a_fault_is_a_status_and_its_cause_stays_in_the_log(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with api.served() as client:
        monkeypatch.setattr(api.stage.view, "catalog", None)
        async with client.get(QPS, headers={"Accept": "text/html, */*"}) as response:
            document = await status_of(response, 500)
    assert (document["reason"], document["message"]) == (
        "InternalError",
        "tidecast failed to answer; its log says why",
    )
    assert "AttributeError" in caplog.text
    assert api.counted(500) == 1


async def test_every_request_is_counted_by_its_code(api: Api) -> None:
    async with api.served() as client:
        assert (
            api.registry.get_sample_value("tidecast_http_requests_total", {"api": "metrics", "code": "200"})
            == 0
        )
        for path in (QPS, QPS, "/healthz", "/gone", "/gone%0A"):
            async with client.get(path) as response:
                await response.read()
    assert (api.counted(200), api.counted(404)) == (3, 2)
    assert api.registry.get_sample_value("tidecast_http_request_seconds_count", {"api": "metrics"}) == 5
