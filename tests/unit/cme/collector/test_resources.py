"""Names of kinds in paths, from what a cluster's discovery says."""

from collections.abc import Mapping
from typing import Any

import pytest

from cme.collector.resources import ASKED_AGAIN_MS, Resources
from cme.core.clock import ManualClock
from cme.core.errors import KubeFailed


class Cluster:
    """Serves one group: Gateways, which can be scaled, and Routes, which can't."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False

    def get(self, path: str) -> Mapping[str, Any]:
        self.asked.append(path)
        if self.down:
            raise KubeFailed("down")
        names = [("gateways", "Gateway"), ("gateways/status", "Gateway"), ("gateways/scale", "Scale")]
        return {"resources": [{"name": name, "kind": kind} for name, kind in [*names, ("routes", "Route")]]}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0)


def test_a_plural_is_asked_for_once(cluster: Cluster, clock: ManualClock) -> None:
    resources = Resources(cluster, clock)
    assert [resources.plural("x.io/v1", "Gateway") for _ in range(3)] == ["gateways"] * 3
    assert cluster.asked == ["/apis/x.io/v1"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("Queue", "the cluster has no Queue in x.io/v1"),
        ("Route", "Route of x.io/v1 has no scale subresource"),
    ],
)
def test_what_cannot_be_scaled_is_said_and_asked_for_again_in_a_while(
    kind: str, told: str, cluster: Cluster, clock: ManualClock
) -> None:
    resources = Resources(cluster, clock)
    for ahead_ms in (0, ASKED_AGAIN_MS - 1, 1):
        clock.advance(ahead_ms)
        with pytest.raises(KubeFailed, match=told):
            resources.plural("x.io/v1", kind)
    assert len(cluster.asked) == 2


def test_what_was_found_stays_while_the_cluster_is_down(cluster: Cluster, clock: ManualClock) -> None:
    resources = Resources(cluster, clock)
    resources.plural("x.io/v1", "Gateway")
    cluster.down = True
    assert resources.plural("x.io/v1", "Gateway") == "gateways"
    with pytest.raises(KubeFailed, match="down"):
        resources.plural("x.io/v1", "Other")
    cluster.down = False
    clock.advance(ASKED_AGAIN_MS)
    with pytest.raises(KubeFailed, match="no Other"):
        resources.plural("x.io/v1", "Other")
