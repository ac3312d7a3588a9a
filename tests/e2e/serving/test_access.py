"""Who is refused: by the deployed adapter directly, through the aggregator, and as the HPA tells it."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adapter.access.attributes import attributes_of
from adapter.access.authorize import KEPT_MS, Authorizer
from adapter.access.users import User
from cme.core.clock import ManualClock
from cme.core.settings import Kubernetes
from cme.kube import KubeClient
from tests.e2e.components.certificates import Authority, KeyPair
from tests.e2e.components.control_plane import HPA, ControlPlane
from tests.e2e.components.kube import Json, Kube, KubeError
from tests.e2e.components.waiting import POLL_S, until
from tests.e2e.followed import CUSTOM
from tests.e2e.serving.stage import OBJECT, Scene
from tests.e2e.workloads import NAMESPACE

pytestmark = pytest.mark.e2e

STRANGER = "stranger"
QPS = f"{CUSTOM}/deployments.apps/{OBJECT}/qps"
FORGED = {"X-Remote-User": HPA, "X-Remote-Group": "system:masters"}
RBAC = "/apis/rbac.authorization.k8s.io/v1"
BINDING = f"{RBAC}/clusterrolebindings/tidecast-metrics-reader"
OWN_ROLE = f"{RBAC}/clusterroles/system:controller:horizontal-pod-autoscaler"
"""Kubernetes gives the HPA the metrics' groups, too; since when is a matter of its version."""


def directly(scene: Scene, headers: Mapping[str, str], identity: KeyPair | None = None) -> tuple[int, Json]:
    answer = scene.tidecast.ask_directly(QPS, headers, identity)
    return answer.status, json.loads(answer.body)


def bearer(scene: Scene, namespace: str, account: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {scene.plane.kube.token_of(namespace, account)}"}


@pytest.fixture(scope="module", autouse=True)
def stranger(scene: Scene) -> None:
    """A service account that may do nothing."""
    metadata = {"name": STRANGER, "namespace": NAMESPACE}
    scene.plane.kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})


def is_refusal(answer: tuple[int, Json], code: int, reason: str, *words: str) -> None:
    status, document = answer
    assert (status, document["kind"], document["code"], document["reason"]) == (code, "Status", code, reason)
    for word in words:
        assert word in document["message"]


def test_who_shows_nothing_is_refused_whatever_his_headers_say(scene: Scene) -> None:
    for headers in ({}, FORGED, {"Authorization": "Basic aHBhOmhwYQ=="}):
        is_refusal(directly(scene, headers), 403, "Forbidden", 'User "system:anonymous" cannot get')


def test_a_certificate_of_another_authority_ends_the_handshake(scene: Scene) -> None:
    (scene.folder / "other").mkdir()
    stranger = Authority(scene.folder / "other", "front-proxy-ca").issue("front-proxy-client")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        directly(scene, FORGED, stranger)


def test_only_the_front_proxy_s_name_may_speak_for_others(scene: Scene) -> None:
    issue = scene.plane.front_proxy.issue
    assert directly(scene, FORGED | {"X-Remote-Group": ""}, issue("front-proxy-client"))[0] == 200
    is_refusal(directly(scene, FORGED, issue("somebody")), 403, "Forbidden", "system:anonymous")


def test_a_user_of_the_cluster_is_himself_whatever_his_headers_say(scene: Scene) -> None:
    eve = scene.plane.authority.issue("eve")
    is_refusal(directly(scene, FORGED, eve), 403, "Forbidden", 'User "eve" cannot get resource')


def test_a_token_must_be_valid_and_its_account_allowed(scene: Scene) -> None:
    is_refusal(directly(scene, {"Authorization": "Bearer forged"}), 401, "Unauthorized")
    refused = f'User "system:serviceaccount:{NAMESPACE}:{STRANGER}" cannot get'
    is_refusal(directly(scene, bearer(scene, NAMESPACE, STRANGER)), 403, "Forbidden", refused)
    allowed = bearer(scene, "kube-system", "horizontal-pod-autoscaler")
    assert directly(scene, allowed | FORGED)[0] == 200


def test_health_is_open_to_everybody(scene: Scene) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        answer = scene.tidecast.ask_directly(path, {})
        assert (answer.status, answer.body) == (200, b"ok")


def test_the_aggregator_lets_nobody_through_either(scene: Scene) -> None:
    kube = scene.plane.kube
    for one, code in (
        (Kube(kube.address, kube.ca), 403),
        (Kube(kube.address, kube.ca, token="forged"), 401),
        (kube.as_service_account(NAMESPACE, STRANGER), 403),
        (Kube(kube.address, kube.ca, scene.plane.front_proxy.issue("front-proxy-client")), 401),
    ):
        with pytest.raises(KubeError) as refused:
            one.get(QPS)
        assert refused.value.status == code


@pytest.fixture
def revoked(scene: Scene) -> Iterator[None]:
    """The HPA may not read metrics for as long as the test lasts."""
    kube = scene.plane.kube
    binding, role = kube.get(BINDING), kube.get(OWN_ROLE)
    kept = [
        rule for rule in role["rules"] if not any("metrics.k8s.io" in group for group in rule["apiGroups"])
    ]
    kube.delete(BINDING)
    kube.merge(OWN_ROLE, {"rules": kept})
    yield
    kube.merge(OWN_ROLE, {"rules": role["rules"]})
    kube.apply(binding | {"metadata": {"name": binding["metadata"]["name"]}})
    until("the HPA works again", lambda: scene.hpas[OBJECT].active() is True, 60)


def test_a_revoked_right_is_told_by_the_hpa(scene: Scene, revoked: None) -> None:
    """And the Deployment keeps its size."""
    hpa, words = scene.hpas[OBJECT], f'is forbidden: User "{HPA}" cannot get resource'
    size = hpa.replicas()
    until("the HPA tells that it is forbidden", lambda: words in hpa.told("ScalingActive"), 60)
    assert hpa.active() is False
    assert hpa.replicas() == size


class Reviews:
    """The real API server, asked as the deployed adapter asks it."""

    def __init__(self, plane: ControlPlane) -> None:
        user = {"token": plane.kube.token_of("tidecast", "tidecast")}
        self._client = KubeClient(Kubernetes(kubeconfig=plane.kubeconfig("reviews", user)))

    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._client.post, path, body)

    def close(self) -> None:
        self._client.close()


async def test_a_revoked_right_is_believed_for_a_minute_and_no_longer(scene: Scene) -> None:
    kube, clock, path = scene.plane.kube, ManualClock(0), f"{RBAC}/clusterrolebindings/{STRANGER}"
    user, wanted = User(f"system:serviceaccount:{NAMESPACE}:{STRANGER}"), attributes_of("GET", QPS, {})
    with contextlib.closing(Reviews(scene.plane)) as reviews:

        async def becomes(allowed: bool) -> None:
            """The API server's own view of RBAC follows a change within milliseconds; a new cache asks each time."""
            async with asyncio.timeout(30):
                while await Authorizer(reviews, clock).allows(user, wanted) is not allowed:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)

        kube.apply(binding_of(STRANGER))
        await becomes(True)
        authorizer = Authorizer(reviews, clock)
        assert await authorizer.allows(user, wanted)
        kube.delete(path)
        await becomes(False)
        clock.advance(KEPT_MS - 1)
        assert await authorizer.allows(user, wanted)
        clock.advance(1)
        assert not await authorizer.allows(user, wanted)


def binding_of(account: str) -> Json:
    """It may read metrics."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "tidecast-metrics-reader"}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": account},
        "roleRef": role,
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
    }
