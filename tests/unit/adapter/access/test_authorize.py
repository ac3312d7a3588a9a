from collections.abc import Mapping
from typing import Any

import pytest

from adapter.access.attributes import attributes_of
from adapter.access.authorize import DENIED_KEPT_MS, KEPT_MS, Authorizer
from adapter.access.users import MASTERS, User
from cme.core.clock import ManualClock
from cme.core.errors import KubeFailed
from tests.unit.adapter.access.cluster import HPA, Cluster

QPS = attributes_of("GET", "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/web-0/qps", {})
RPS = attributes_of("GET", "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/web-0/rps", {})


class Stage:
    def __init__(self) -> None:
        self.cluster, self.clock = Cluster(), ManualClock(0)
        self.authorizer = Authorizer(self, self.clock)

    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.cluster.post(path, body)

    @property
    def reviews(self) -> int:
        return len(self.cluster.reviews)


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_who_may_read_all_metrics_is_asked_about_once(stage: Stage) -> None:
    stage.cluster.allowed.add((HPA, "*"))
    for attributes in (QPS, RPS, QPS):
        assert await stage.authorizer.allows(User(HPA), attributes)
    (spec,) = stage.cluster.asked("SubjectAccessReview")
    whole = {"verb": "get", "group": "custom.metrics.k8s.io", "version": "*", "resource": "*"}
    assert spec["resourceAttributes"] == whole


async def test_who_may_read_some_is_asked_about_each(stage: Stage) -> None:
    stage.cluster.allowed.add(("eve", "pods"))
    assert await stage.authorizer.allows(User("eve"), QPS)
    assert stage.reviews == 2
    assert await stage.authorizer.allows(User("eve"), RPS)
    assert stage.reviews == 3


async def test_a_no_is_a_no(stage: Stage) -> None:
    assert not await stage.authorizer.allows(User("eve"), QPS)


async def test_a_revoked_permission_is_believed_for_a_minute_at_most(stage: Stage) -> None:
    stage.cluster.allowed.add((HPA, "*"))
    assert await stage.authorizer.allows(User(HPA), QPS)
    stage.cluster.allowed.clear()
    stage.clock.advance(KEPT_MS - 1)
    assert await stage.authorizer.allows(User(HPA), QPS)
    stage.clock.advance(1)
    assert not await stage.authorizer.allows(User(HPA), QPS)


async def test_a_permission_that_was_given_is_seen_sooner(stage: Stage) -> None:
    assert not await stage.authorizer.allows(User(HPA), QPS)
    stage.cluster.allowed.add((HPA, "*"))
    stage.clock.advance(DENIED_KEPT_MS)
    assert await stage.authorizer.allows(User(HPA), QPS)


@pytest.mark.parametrize(
    "other", [User("eve"), User(HPA, ("more",)), User(HPA, uid="2"), User(HPA, extra={"a": ("b",)})]
)
async def test_a_permission_is_of_one_identity(other: User, stage: Stage) -> None:
    stage.cluster.allowed.add((HPA, "*"))
    assert await stage.authorizer.allows(User(HPA), QPS)
    before = stage.reviews
    await stage.authorizer.allows(other, QPS)
    assert stage.reviews > before


async def test_masters_are_not_asked_about(stage: Stage) -> None:
    assert await stage.authorizer.allows(User("admin", (MASTERS,)), QPS)
    assert not stage.reviews


async def test_an_api_server_that_is_down_allows_nothing_and_is_asked_again(stage: Stage) -> None:
    stage.cluster.down = True
    for _ in range(2):
        with pytest.raises(KubeFailed):
            await stage.authorizer.allows(User(HPA), QPS)
    stage.cluster.down = False
    stage.cluster.allowed.add((HPA, "*"))
    assert await stage.authorizer.allows(User(HPA), QPS)


async def test_a_yes_outlives_an_api_server_that_is_down(stage: Stage) -> None:
    stage.cluster.allowed.add((HPA, "*"))
    assert await stage.authorizer.allows(User(HPA), QPS)
    stage.cluster.down = True
    assert await stage.authorizer.allows(User(HPA), RPS)
