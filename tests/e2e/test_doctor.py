"""What doctor says of a real cluster before and after an installation, and after sabotage."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from adapter.api.paths import CUSTOM, VERSIONS
from adapter.registration.apply import API_SERVICES
from cme.core.identity import plural_of
from tests.e2e import policies, workloads
from tests.e2e.components.certificates import Authority
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.kube import Json, Kube, with_certificate
from tests.e2e.components.waiting import until
from tests.e2e.deployed import NAME as OURS
from tests.e2e.deployed import Tidecast, uninstall
from tests.e2e.followed import HPAS
from tests.e2e.test_coexistence import SETTINGS, run
from tests.e2e.workloads import NAMESPACE
from tests.unit.cme.policies.written import document

pytestmark = pytest.mark.e2e

NAME = "examined"
POLICY = policies.policy(NAME, "qps", {"demo": {"load": "tide"}}, "40")


class Doctor:
    """Run as the administrator."""

    def __init__(self, plane: ControlPlane, config: Path) -> None:
        self._config = config
        self._kubeconfig = plane.kubeconfig("doctor", with_certificate(plane.admin))

    def findings(self) -> list[Json]:
        flags = ("--config", str(self._config), "--kubeconfig", str(self._kubeconfig), "--json")
        done = run("doctor", *flags)
        found: list[Json] = json.loads(done.stdout)
        assert done.exit_code == (1 if any(one["level"] == "error" for one in found) else 0)
        return found

    def complaints(self) -> list[Json]:
        return [one for one in self.findings() if one["level"] != "ok"]

    def told(self, level: str, check: str) -> list[str]:
        return [one["text"] for one in self.findings() if (one["level"], one["check"]) == (level, check)]


@pytest.fixture(scope="module")
def before(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tidecast]:
    """Not installed, but its HPA is there."""
    kube = control_plane.kube
    uninstall(kube)
    kube.apply(workloads.namespace())
    kube.apply(workloads.deployment(NAME))
    kube.apply(workloads.hpa(NAME, [workloads.object_metric(NAME, "replicas_scaling", "1")]))
    tidecast = Tidecast(tmp_path_factory.mktemp("examined"), control_plane, SETTINGS, [POLICY])
    tidecast.configure({})
    yield tidecast
    kube.delete(f"{HPAS}/{NAME}")
    uninstall(kube)


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane, before: Tidecast) -> Iterator[Doctor]:
    """Each test leaves it as it was."""
    with before:
        doctor = Doctor(control_plane, before.config)
        until("it has no complaint", lambda: not doctor.complaints(), 60, poll_s=1)
        yield doctor


def test_before_an_installation(control_plane: ControlPlane, before: Tidecast) -> None:
    doctor = Doctor(control_plane, before.config)
    assert doctor.complaints() == []
    assert doctor.told("ok", "API server") == ["Kubernetes v1.36.3"]
    assert doctor.told("ok", "scale to zero") == [
        "off (gate HPAScaleToZero): an HPA keeps at least one replica"
    ]
    assert doctor.told("ok", "access") == ["not installed yet; its rights are checked once it is"]
    assert doctor.told("ok", "groups") == [f"{group} is free" for group in VERSIONS]


def test_after_an_installation(installed: Doctor) -> None:
    assert installed.told("ok", "groups") == [f"{group} is ours" for group in VERSIONS]
    assert len(installed.told("ok", "available")) == len(installed.told("ok", "discovery")) == 3
    (served,) = installed.told("ok", "metric")
    assert f"{NAMESPACE}/deployments.apps/{NAME}/replicas_scaling is " in served
    assert installed.told("ok", "HPA") == [f"{NAMESPACE}/{NAME}: fits"]


def test_a_wrong_ca_bundle_is_told_in_the_aggregator_s_words(
    control_plane: ControlPlane, installed: Doctor, tmp_path: Path
) -> None:
    name, other = f"v1beta2.{CUSTOM}", Authority(tmp_path, "other-ca").certificate.read_bytes()
    path = f"{API_SERVICES}/{name}"
    right = control_plane.kube.get(path)["spec"]["caBundle"]
    control_plane.kube.merge(path, {"spec": {"caBundle": base64.b64encode(other).decode()}})
    (told,) = until("it is unavailable", lambda: installed.told("error", "available") or None, 60)
    assert told.startswith(
        f"{name} is not, so no HPA gets a number of it: the aggregator says FailedDiscoveryCheck"
    )
    assert "certificate signed by unknown authority" in told
    (bundle,) = installed.told("error", "caBundle")
    assert bundle.startswith(f"{name}: none of its authorities signed the certificate that is served")
    assert installed.told("error", "metric")
    control_plane.kube.merge(path, {"spec": {"caBundle": right}})
    until("it is available again", lambda: not installed.complaints(), 60, poll_s=1)


def test_rights_that_are_missing_are_named(control_plane: ControlPlane, installed: Doctor) -> None:
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    bound = control_plane.kube.get(f"{bindings}/{OURS}")
    control_plane.kube.delete(f"{bindings}/{OURS}")
    told = "\n".join(until("it is told", lambda: installed.told("error", "access") or None, 30))
    me = f"system:serviceaccount:{OURS}:{OURS}"
    assert f"{me} may not watch pods: Pods metrics are refused" in told
    assert (
        f"{me} may not patch apiservices.apiregistration.k8s.io v1beta2.{CUSTOM}: it can't register" in told
    )
    assert "tokenreviews" not in told
    control_plane.kube.post(bindings, bound | {"metadata": {"name": OURS}})
    until("the rights are back", lambda: not installed.complaints(), 30)


def test_one_that_comes_later_is_told_with_its_owner(control_plane: ControlPlane, installed: Doctor) -> None:
    service = {"namespace": "monitoring", "name": "prometheus-adapter", "port": 443}
    spec = {"group": CUSTOM, "version": "v1alpha1", "groupPriorityMinimum": 1, "versionPriority": 1}
    control_plane.kube.apply(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1alpha1.{CUSTOM}"},
            "spec": spec | {"service": service},
        }
    )
    (refusal,) = installed.told("error", "groups")
    assert "v1alpha1 belongs to monitoring/prometheus-adapter" in refusal
    assert installed.told("error", "metric") == []
    control_plane.kube.delete(f"{API_SERVICES}/v1alpha1.{CUSTOM}")


def test_policies_of_the_cluster_are_examined_like_those_of_the_file(
    control_plane: ControlPlane, installed: Doctor
) -> None:
    kube, path = control_plane.kube, f"/apis/tidecast.dev/v1alpha1/namespaces/{NAMESPACE}/scalingpolicies"
    for name, spec in (("broken", {"timeZone": "Mars"}), ("second", {})):
        kube.apply(document(name, NAME if name == "second" else "", NAMESPACE, **spec))
    try:
        told = installed.told("error", "policies")
        assert [one.partition(" is refused")[0] for one in told] == [
            f"{NAMESPACE}/broken",
            f"{NAMESPACE}/second",
        ]
        assert "Mars" in told[0]
        assert "keep one policy per workload" in told[1]
    finally:
        for name in ("broken", "second"):
            kube.delete(f"{path}/{name}")


def test_other_autoscalers_of_the_target_are_told(control_plane: ControlPlane, installed: Doctor) -> None:
    kube = control_plane.kube
    kinds = [custom_resource("keda.sh", "v1alpha1", "ScaledObject", {"scaleTargetRef": {"name": NAME}})]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME}
    kinds.append(custom_resource("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler", {"targetRef": target}))
    for definition, one in kinds:
        kube.apply(definition)
        until("its kind is served", partial(is_established, kube, definition), 30)
        resource = f"/apis/{one['apiVersion']}/namespaces/{NAMESPACE}/{definition['spec']['names']['plural']}"
        kube.post(resource, one)
    (keda,) = until("KEDA is told", lambda: installed.told("error", "KEDA") or None, 30)
    assert f"the ScaledObject {NAME} scales {NAMESPACE}/Deployment.apps/{NAME}, too" in keda
    (vertical,) = installed.told("warning", "VPA")
    assert f"{NAME} resizes the pods of {NAMESPACE}/Deployment.apps/{NAME}" in vertical
    for definition, _ in kinds:
        kube.delete(kube.path(definition))
    until("their kinds are gone", lambda: not installed.complaints(), 60, poll_s=1)


def custom_resource(group: str, version: str, kind: str, spec: Json) -> tuple[Json, Json]:
    """The definition of a kind whose spec may be anything, and one of it."""
    plural = plural_of(kind)
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    annotations = {"api-approved.kubernetes.io": "unapproved, for a test"}  # *.k8s.io needs one
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": annotations},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [served],
        },
    }
    one = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": NAME}, "spec": spec}
    return definition, one


def is_established(kube: Kube, definition: Json) -> bool:
    conditions = kube.get(kube.path(definition)).get("status", {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
