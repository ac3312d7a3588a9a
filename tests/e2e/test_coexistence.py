"""Beside another server of the metrics APIs nothing of its changes, and what it leaves free is ours."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import tidecast
from adapter.registration.apply import API_SERVICES, apply, read_authorities
from adapter.registration.rule import manifest
from cme.core.errors import KubeFailed
from cme.core.settings import Kubernetes, Registration
from cme.kube import KubeClient
from tests.e2e import policies, workloads
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json, Kube, KubeError, with_certificate
from tests.e2e.components.reference import Reference
from tests.e2e.components.waiting import until
from tests.e2e.deployed import Tidecast, uninstall
from tests.e2e.followed import HPAS, Followed, by_external
from tests.e2e.workloads import NAMESPACE

pytestmark = pytest.mark.e2e

CUSTOM, EXTERNAL = "custom.metrics.k8s.io", "external.metrics.k8s.io"
MONITORING, SERVICE = "monitoring", "prometheus-adapter"
FOREIGN = f"v1beta1.{CUSTOM}"
SETTINGS: Json = {"apiVersion": "tidecast.dev/v1alpha1", "kind": "Settings", "tick": "1s"}
DEMO = {"demo": {"load": "tide"}}
WANTED = 7


@pytest.fixture
def foreign(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Followed]:
    """A Deployment whose HPA follows another server's Object metric, of which it wants WANTED replicas."""
    kube, folder = control_plane.kube, tmp_path / "reference"
    folder.mkdir()
    uninstall(kube)
    with Reference(folder, control_plane, f"{SERVICE}.{MONITORING}.svc") as reference:
        for manifest in (
            *reference.behind_a_service(SERVICE, MONITORING, "v1beta1"),
            *may_be_read(),
            workloads.namespace(),
            workloads.deployment("theirs"),
            workloads.hpa("theirs", [workloads.object_metric("theirs", "requests", "10")]),
        ):
            kube.apply(manifest)
        reference.write(f"namespaces/{NAMESPACE}/deployments.apps/theirs/requests", str(WANTED * 10))
        path = f"/apis/{CUSTOM}/v1beta1/namespaces/{NAMESPACE}/deployments.apps/theirs/requests"
        followed = Followed(kube, "theirs", path, 10)
        until("their HPA follows", lambda: followed.settled() == WANTED, 60)
        yield followed
    kube.delete(f"{HPAS}/theirs")
    uninstall(kube)


def may_be_read() -> Iterator[Json]:
    """As prometheus-adapter lets the HPA read its group."""
    access = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "their-metrics"}}
    yield {
        **access,
        "kind": "ClusterRole",
        "rules": [{"apiGroups": [CUSTOM], "resources": ["*"], "verbs": ["*"]}],
    }
    hpa = {"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "their-metrics"}
    yield {**access, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [hpa]}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tidecast, arguments, catch_exceptions=False)


def versions(kube: Kube, group: str) -> list[str]:
    """As an HPA finds them, the preferred first; none where the group is unknown."""
    groups = {one["name"]: one for one in kube.get("/apis")["groups"]}
    found = groups.get(group, {"versions": []})
    return [one["version"] for one in found["versions"]]


def picture(theirs: Followed) -> tuple[float, int, bool | None, list[str], Json]:
    """What a foreign HPA gets, what it makes of it, and what there is of its group."""
    discovered = theirs.kube.get(f"/apis/{CUSTOM}/v1beta1")
    return theirs.value(), theirs.replicas(), theirs.active(), versions(theirs.kube, CUSTOM), discovered


def test_a_foreign_custom_group_is_refused_and_keeps_its_answers(
    control_plane: ControlPlane, foreign: Followed, tmp_path: Path
) -> None:
    kube, before = control_plane.kube, picture(foreign)
    ours = Tidecast(tmp_path, control_plane, SETTINGS, [policies.policy("ours", "qps", DEMO, "40")])
    ours.install()
    for flags in (["--dry-run"], []):
        done = run("register", "--config", str(ours.config), *flags)
        assert done.exit_code == 1
        assert done.stdout.startswith(
            f"refused: {CUSTOM}: v1beta1 belongs to {MONITORING}/{SERVICE}, and its HPAs would be answered"
        )
        assert f"set registration.groups to [{EXTERNAL}]" in done.stdout
    assert picture(foreign) == before
    assert versions(kube, EXTERNAL) == []


def test_a_running_program_adds_nothing_either(
    control_plane: ControlPlane, foreign: Followed, tmp_path: Path
) -> None:
    before = picture(foreign)
    policy = policies.policy("ours", "qps", DEMO, "40")
    with Tidecast(tmp_path, control_plane, SETTINGS, [policy], refused=True) as ours:
        until("it is refused", lambda: "not registered: custom" in ours.log.read_text(), 30)
        assert f"v1beta1 belongs to {MONITORING}/{SERVICE}" in ours.log.read_text()
        assert picture(foreign) == before
        with pytest.raises(KubeError):
            control_plane.kube.get(f"{API_SERVICES}/v1beta2.{CUSTOM}")


def test_the_free_external_group_is_ours_beside_it(
    control_plane: ControlPlane, foreign: Followed, tmp_path: Path
) -> None:
    kube, before = control_plane.kube, picture(foreign)
    policy = policies.policy("ours", "qps", DEMO, "40")
    kube.apply(workloads.deployment("ours"))
    with Tidecast(tmp_path, control_plane, SETTINGS, [policy], groups=(EXTERNAL,)) as ours:
        again = run("register", "--config", str(ours.config))
        assert (again.exit_code, again.stdout) == (0, "nothing to do: all are as they should be\n")
        kube.apply(workloads.hpa("ours", [workloads.external_metric("ours", "qps_scaling", "40")]))
        followed = by_external(kube, "ours", "qps_scaling", 40)
        until("our HPA can work", followed.active, 60)
        assert versions(kube, EXTERNAL) == ["v1beta1"]
        assert picture(foreign) == before
    kube.delete(f"{HPAS}/ours")


def test_without_the_look_a_newer_version_would_take_their_hpa(
    control_plane: ControlPlane, foreign: Followed, tmp_path: Path
) -> None:
    """What is prevented: else the tests above could not fail."""
    kube, policy = control_plane.kube, policies.policy("ours", "qps", DEMO, "40")
    with Tidecast(tmp_path, control_plane, SETTINGS, [policy], groups=(EXTERNAL,)) as ours:
        assert foreign.active()
        asked = Registration(port=ours.https_port)
        kube.apply(manifest(CUSTOM, "v1beta2", asked, read_authorities(ours.authorities)))
        until("their HPA asks the newer version", lambda: foreign.active() is False, 60)
        assert versions(kube, CUSTOM) == ["v1beta2", "v1beta1"]


def test_what_another_came_to_own_after_the_look_is_not_overwritten(
    control_plane: ControlPlane, foreign: Followed, tmp_path: Path
) -> None:
    kube, path = control_plane.kube, f"{API_SERVICES}/{FOREIGN}"
    before = kube.get(path)["spec"]
    config = control_plane.kubeconfig("late", with_certificate(control_plane.admin))
    client = contextlib.closing(KubeClient(Kubernetes(kubeconfig=config)))
    with client as cluster, pytest.raises(KubeFailed, match=r"Apply failed with .* conflict"):
        apply(cluster, manifest(CUSTOM, "v1beta1", Registration(), "PEM"))
    assert kube.get(path)["spec"] == before
