"""The contract of the metrics APIs through a real aggregator, and what the Go library makes of it."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.metrics_api.cases import CASES
from tests.contract.metrics_api.client import Client
from tests.contract.metrics_api.differences import DIFFERENCES, failures
from tests.contract.metrics_api.found import find, told
from tests.contract.metrics_api.laws import SERVED
from tests.contract.metrics_api.verdicts import run, summary
from tests.e2e import policies
from tests.e2e.components.certificates import KeyPair
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json, Kube, KubeError
from tests.e2e.components.reference import Reference
from tests.e2e.components.waiting import until
from tests.e2e.components.web import trusting
from tests.e2e.deployed import Tidecast
from tests.e2e.followed import API_SERVICES, CUSTOM, DEPLOYMENTS
from tests.e2e.workloads import NAMESPACE, deployment, namespace

pytestmark = pytest.mark.e2e

NAME, OTHER = "measured", "other"
TOLD = {"object_label": f"app={NAME}"}
LISTED = [case for case in CASES if case.name == "aggregated/all"]
DEMO = {"demo": {"load": "tide"}}
SETTINGS: Json = {"apiVersion": "tidecast.dev/v1alpha1", "kind": "Settings", "tick": "1s"}


@pytest.fixture(scope="module")
def control_plane(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One of its own: an aggregator keeps the documents of a server that has gone for up to two minutes."""
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture
def pods(control_plane: ControlPlane) -> Iterator[list[str]]:
    """Names of a workload's two pods that run; there is another workload beside it."""
    kube, manifest, other = control_plane.kube, deployment(NAME, replicas=2), deployment(OTHER)
    for one in (namespace(), manifest, other):
        kube.apply(one)
    path = kube.path(manifest)
    until("2 pods are ready", lambda: kube.get(path)["status"].get("readyReplicas") == 2, 30)
    listed = kube.items(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3D{NAME}")
    yield [pod["metadata"]["name"] for pod in listed]
    kube.delete(path)
    kube.delete(kube.path(other))


def documents() -> list[Json]:
    """Both workloads have the same signal, and one has another: an External metric is of one workload."""
    measured, other = (policies.policy(name, "qps", DEMO, "40") for name in (NAME, OTHER))
    measured["spec"]["signals"].append({"name": "queue_backlog", "source": DEMO, "perReplica": "40"})
    return [measured, other]


def client_of(url: str, ca: Path, identity: KeyPair) -> Client:
    identified = trusting(ca)
    identified.load_cert_chain(identity.certificate, identity.key)
    return Client(url, identified, trusting(ca))


def test_it_is_fulfilled_through_the_aggregator(
    control_plane: ControlPlane, pods: list[str], tmp_path: Path
) -> None:
    plane = control_plane
    client = client_of(plane.kube.address, plane.kube.ca, plane.admin)
    known = DIFFERENCES["aggregator"].reasons
    with Tidecast(tmp_path, plane, SETTINGS, documents()):
        until("the pods' metrics are served", lambda: "pod" in find(client, {}, [NAMESPACE]), 60)
        until("the aggregator has its documents", lambda: has_documents(plane.kube, client), 120, poll_s=2)
        verdicts = run(client, find(client, TOLD, [NAMESPACE]), known)
    print(*(v.line() for v in verdicts if v.difference), summary(verdicts), sep="\n")
    assert "\n".join(failures(verdicts, known)) == ""


def test_workloads_are_selected_by_their_own_labels(
    control_plane: ControlPlane, pods: list[str], tmp_path: Path
) -> None:
    kube = control_plane.kube
    with Tidecast(tmp_path, control_plane, SETTINGS, documents()):
        until("both are selected", lambda: selected(kube, "app") == [NAME, OTHER], 60)
        assert selected(kube, f"app={NAME}") == [NAME]
        with pytest.raises(KubeError, match="none has the labels of the selector"):
            kube.items(f"{CUSTOM}/deployments.apps/*/qps?labelSelector=gone")


@pytest.mark.slow  # labels are listed once a minute
def test_a_change_of_a_workload_s_labels_is_followed(
    control_plane: ControlPlane, pods: list[str], tmp_path: Path
) -> None:
    kube = control_plane.kube
    with Tidecast(tmp_path, control_plane, SETTINGS, documents()):
        until("both are selected", lambda: selected(kube, "app") == [NAME, OTHER], 60)
        kube.merge(f"{DEPLOYMENTS}/{OTHER}", {"metadata": {"labels": {"app": NAME, "tier": "new"}}})
        until("the change is followed", lambda: selected(kube, f"app={NAME}") == [NAME, OTHER], 90)
        assert selected(kube, "tier=new") == [OTHER]
        assert selected(kube, "!tier") == [NAME]


def selected(kube: Kube, selector: str) -> list[str]:
    """Names; none while it is refused."""
    try:
        items = kube.items(f"{CUSTOM}/deployments.apps/*/qps?labelSelector={quote(selector)}")
    except KubeError:
        return []
    return [item["describedObject"]["name"] for item in items]


def has_documents(kube: Kube, client: Client) -> bool:
    """Asks for them again: an aggregator that was refused waits for a minute, or for a change of the APIService."""
    if is_listed(client) and is_merged(client):
        return True
    for group, versions in SERVED.items():
        for version in versions:
            noted = {"metadata": {"annotations": {"tests/asked": str(time.monotonic())}}}
            kube.merge(f"{API_SERVICES}/{version}.{group}", noted)
    return False


def is_listed(client: Client) -> bool:
    """The aggregator asks what there is within seconds after a registration."""
    return all(verdict.passed for verdict in run(client, {}, {}, LISTED))


def is_merged(client: Client) -> bool:
    """The aggregator asks for OpenAPI again within a minute or two."""
    v2, v3 = (client.document(f"/openapi/{version}") or {"paths": {}} for version in ("v2", "v3"))
    wanted = [f"apis/{group}/{version}" for group, versions in SERVED.items() for version in versions]
    return set(wanted) <= set(v3["paths"]) and all(any(one in path for path in v2["paths"]) for one in wanted)


def test_the_go_library_differs_only_as_known(
    control_plane: ControlPlane, pods: list[str], tmp_path: Path
) -> None:
    plane, known = control_plane, DIFFERENCES["go"].reasons
    with Reference(tmp_path, plane) as reference:
        for pod in pods:
            reference.write(f"namespaces/{NAMESPACE}/pods/{pod}/qps", "1500m")
        for name in (NAME, OTHER):
            reference.write(f"namespaces/{NAMESPACE}/deployments.apps/{name}/qps", "20k")
        reference.write(f"namespace/{NAMESPACE}/qps", "7")
        reference.write("nodes/node-0/qps", "300m")
        client = client_of(reference.address, reference.ca, plane.admin)
        has = {
            "object": f"{NAMESPACE}/deployments.apps/{NAME}/qps",
            "object-label": f"app={NAME}",
            "pods": f"{NAMESPACE}/qps",
            "namespace": f"{NAMESPACE}/qps",
            "root": "nodes/node-0/qps",
            "external": f"{NAMESPACE}/my-external-metric",
        }
        listed = {key: value for form, text in has.items() for key, value in told(form, text).items()}
        verdicts = run(client, find(client, listed, [NAMESPACE]), known)
    print(*(v.line() for v in verdicts if v.difference), summary(verdicts), sep="\n")
    assert "\n".join(failures(verdicts, known)) == ""
