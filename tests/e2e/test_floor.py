"""A schedule's floor within the HPA's tolerance, on the real HPA: 40 replicas while 37 run."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import policies, workloads
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json
from tests.e2e.components.ports import free_ports
from tests.e2e.components.report import note
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import Followed, by_object

pytestmark = pytest.mark.e2e

RUNNING, FLOOR = 37, 40
EXPECTED = {"tolerant": 41, "exact": 40}
"""Replicas: of an HPA with the default tolerance, and of one with scaleUp.tolerance 0 whose policy says so."""


@pytest.fixture
def followed(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Followed]]:
    """Deployments with RUNNING ready replicas and an HPA each; nothing is measured."""
    kube = control_plane.kube
    kube.apply(workloads.namespace())
    for name in EXPECTED:
        kube.apply(workloads.deployment(name, RUNNING))
    found = [by_object(kube, name, "replicas_schedule", 1) for name in EXPECTED]
    for one in found:
        settles(one, RUNNING)
    nowhere, other = (f"127.0.0.1:{port}" for port in free_ports(2))
    settings = policies.settings(f"http://{nowhere}", other)
    folder = tmp_path_factory.mktemp("floor")
    with Tidecast(folder, control_plane, settings, [policy(name) for name in EXPECTED]):
        for name in EXPECTED:
            kube.apply(hpa(name))
        yield found
        for name in EXPECTED:
            kube.delete(kube.path(hpa(name)))
    for name in EXPECTED:
        kube.delete(kube.path(workloads.deployment(name)))


def policy(name: str) -> Json:
    source = policies.from_prometheus(policies.REQUESTS)
    made = policies.policy(name, "qps", source, "40", [policies.always(FLOOR)])
    if name == "exact":
        made["spec"]["scaleUp"] = {"tolerance": 0}
    return made


def hpa(name: str) -> Json:
    made = workloads.hpa(name, [workloads.object_metric(name, "replicas_schedule", "1")])
    spec: dict[str, Any] = made["spec"]
    spec["maxReplicas"] = 2 * FLOOR
    if name == "tolerant":
        del spec["behavior"]
    return made


def test_a_floor_within_the_tolerance_is_reached(followed: list[Followed]) -> None:
    for one in followed:
        settles(one, EXPECTED[one.name])
        is_served(one, FLOOR)
        assert one.replicas() == EXPECTED[one.name]
        note(f"floor: {one.name} {RUNNING} -> {EXPECTED[one.name]} for {FLOOR}")


def settles(one: Followed, replicas: int) -> None:
    until(f"{replicas} replicas of {one.name}", lambda: one.settled() == replicas, 60)


def is_served(one: Followed, value: int) -> None:
    until(f"{one.name} is served {value}", lambda: one.value() == value, 30)
