"""How many replicas a namespace's quota holds, counted as Kubernetes does."""

import math
from typing import Any

import pytest

from cme.collector.quota import replicas_within


def quota(**hard: str) -> dict[str, Any]:
    return {"spec": {"hard": {name.replace("_", "."): value for name, value in hard.items()}}}


def container(**requests: str) -> dict[str, Any]:
    return {"resources": {"requests": requests, "limits": dict.fromkeys(requests, "4")}}


def pod(
    *containers: dict[str, Any], first: tuple[dict[str, Any], ...] = (), overhead: str = ""
) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": list(containers), "initContainers": list(first)}
    return {"spec": spec | ({"overhead": {"cpu": overhead}} if overhead else {})}


HALF = pod(container(cpu="400m"), container(cpu="100m", memory="1Gi"))


@pytest.mark.parametrize(
    ("quotas", "holds"),
    [
        ([], math.inf),
        ([quota(requests_cpu="10")], 20),
        ([quota(cpu="10")], 20),
        ([quota(requests_cpu="9900m")], 19),
        ([quota(limits_cpu="10")], 1),
        ([quota(requests_cpu="10", requests_memory="5Gi")], 5),
        ([quota(requests_cpu="10"), quota(pods="7")], 7),
        ([quota(**{"count/pods": "3"})], 3),
        ([quota(requests_storage="1Gi", services="2", persistentvolumeclaims="1")], math.inf),
        ([quota(**{"requests_nvidia_com/gpu": "4"})], math.inf),
        ([{"spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}}], math.inf),
        ([{"spec": {"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": []}}}], math.inf),
    ],
)
def test_the_tightest_quota_counts(quotas: list[dict[str, Any]], holds: float) -> None:
    assert replicas_within(quotas, [HALF]) == holds


def test_init_containers_and_overhead_are_counted_as_the_scheduler_does() -> None:
    ten = [quota(requests_cpu="10")]
    assert (
        replicas_within(ten, [pod(container(cpu="1"), first=(container(cpu="2"), container(cpu="1")))]) == 5
    )
    assert replicas_within(ten, [pod(container(cpu="750m"), overhead="250m")]) == 10


def test_the_most_demanding_pod_counts() -> None:
    assert replicas_within([quota(requests_cpu="10")], [HALF, pod(container(cpu="2"))]) == 5


def test_without_a_pod_it_is_not_known_what_one_needs() -> None:
    assert math.isnan(replicas_within([quota(requests_cpu="10")], []))
    assert replicas_within([quota(pods="10")], []) == 10


def test_what_asks_for_nothing_is_not_bounded() -> None:
    assert replicas_within([quota(requests_cpu="10")], [pod(container())]) == math.inf
    assert replicas_within([quota(requests_cpu="10")], [pod(container(cpu="0"))]) == math.inf
