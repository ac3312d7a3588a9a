"""deploy/ says nothing that tidecast or a cluster does not understand."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from adapter.api.paths import VERSIONS
from cme.core.settings import Certificate, Settings, parse_configuration, split_address
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.waiting import until
from tests.e2e.deployed import DEPLOY, NAME, install, render

Made = dict[tuple[str, str], Any]
"""Manifests by kind and name."""


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_the_settings_fit_the_pod() -> None:
    settings = parse_configuration(documents("base/tidecast.yaml"), "tidecast.yaml").settings
    (deployment,) = documents("base/deployment.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    mounts = {PurePosixPath(mount["mountPath"]): mount for mount in container["volumeMounts"]}
    assert not mounts[PurePosixPath(settings.data)].get("readOnly")
    assert PurePosixPath(container["args"][-1]).parent in mounts
    assert split_address(settings.https, "https")[1] == container["ports"][0]["containerPort"]
    assert settings.kubernetes is not None


def pod(made: Made, name: str, kind: str = "Deployment") -> Any:
    return made[kind, name]["spec"]["template"]["spec"]


def settings_of(made: Made, spec: Any) -> Settings:
    """That a pod mounts, where its command line names them."""
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    text = made["ConfigMap", volumes["config"]["configMap"]["name"]]["data"]["tidecast.yaml"]
    assert spec["containers"][0]["args"][1:] == ["--config", "/etc/tidecast/tidecast.yaml"]
    return parse_configuration(list(yaml.safe_load_all(text)), "tidecast.yaml").settings


def secrets(spec: Any, files: Certificate) -> set[str]:
    """Where a pod has the files of a certificate from."""
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounted = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
    paths = [file for file in vars(files).values() if isinstance(file, Path)]
    assert {file.name for file in paths} == {"tls.crt", "tls.key", "ca.crt"}
    return {volumes[mounted[str(file.parent)]]["secret"]["secretName"] for file in paths}


@pytest.mark.e2e
def test_both_sides_of_the_log_fit_their_pods_and_each_other(machine: None, tmp_path: Path) -> None:
    made = {(one["kind"], one["metadata"]["name"]): one for one in render(tmp_path, "adapters")}
    writer, adapter = (pod(made, name) for name in ("tidecast", "tidecast-adapter"))
    served, followed = settings_of(made, writer), settings_of(made, adapter)
    assert followed.shutdown_delay / 1000 + 10 <= adapter.get("terminationGracePeriodSeconds", 30)
    assert served.serve_log
    assert followed.follow_log
    assert (writer["containers"][0]["args"][0], adapter["containers"][0]["args"][0]) == ("up", "serve")
    assert followed.follow_log.address == "tidecast-log.tidecast.svc:9443"
    ports = {port["name"]: port["containerPort"] for port in writer["containers"][0]["ports"]}
    assert split_address(served.serve_log.address, "address")[1] == ports["log"] == 9443
    assert secrets(writer, served.serve_log) == {"tidecast-log"}
    assert secrets(adapter, followed.follow_log) == {"tidecast-follower"}
    assert followed.certificate
    assert secrets(adapter, followed.certificate) == {"tidecast-tls"}
    assert (served.registration, followed.registration is None) == (None, False)


@pytest.mark.e2e
def test_the_roles_on_kafka_fit_their_pods_and_each_other(machine: None, tmp_path: Path) -> None:
    made = {(one["kind"], one["metadata"]["name"]): one for one in render(tmp_path, "kafka")}
    assert {
        name for kind, name in made if kind in ("Deployment", "StatefulSet", "PersistentVolumeClaim")
    } == {
        "tidecast-collector",
        "tidecast-predictor",
        "tidecast-adapter",
    }
    pods = {
        "collect": pod(made, "tidecast-collector", "StatefulSet"),
        "predict": pod(made, "tidecast-predictor"),
        "serve": pod(made, "tidecast-adapter"),
    }
    settings = {role: settings_of(made, spec) for role, spec in pods.items()}
    assert len({str(one.log) for one in settings.values()}) == 1  # they share one log
    for role, spec in pods.items():
        (container,) = spec["containers"]
        assert container["args"][0] == role
        port = split_address(getattr(settings[role], "https" if role == "serve" else "http"), "")[1]
        assert [one["containerPort"] for one in container["ports"]] == [port]
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert "follower-tls" not in mounts
        claims = made["StatefulSet", "tidecast-collector"]["spec"]["volumeClaimTemplates"]
        assert mounts <= {one["name"] for one in spec["volumes"]} | {claims[0]["metadata"]["name"]}
    assert pods["predict"]["automountServiceAccountToken"] is False
    assert ("Service", "tidecast-log") not in made


@pytest.mark.e2e
@pytest.mark.parametrize("shape", ["adapters", "kafka"])
def test_only_adapters_register_and_have_a_budget_of_disruptions(
    control_plane: ControlPlane, tmp_path: Path, shape: str
) -> None:
    """As a real API server takes it."""
    kube = control_plane.kube
    made = install(kube, tmp_path, shape)
    rules = kube.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/tidecast")["rules"]
    assert "apiservices" not in {resource for rule in rules for resource in rule["resources"]}
    budgets = f"/apis/policy/v1/namespaces/{NAME}/poddisruptionbudgets"

    def counts() -> bool:
        (status,) = [budget["status"] for budget in kube.items(budgets)]
        return (status.get("expectedPods"), status.get("disruptionsAllowed")) == (2, 1)

    until("the adapters' budget lets go of one of two", counts, 30)
    for one in made:  # what `base` does not have
        if one["metadata"]["name"].startswith(
            ("tidecast-adapter", "tidecast-log", "tidecast-collector", "tidecast-predictor")
        ):
            kube.delete(kube.path(one))


def test_it_may_do_what_it_asks_for_and_write_what_is_its_own() -> None:
    role = documents("base/cluster-access.yaml")[0]
    rights = {
        (resource, verb): set(rule.get("resourceNames", ["*"]))
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    own = {f"{version}.{group}" for group, versions in VERSIONS.items() for version in versions}
    scaled = ("deployments", "replicasets", "statefulsets")
    scales = {(f"{plural}/scale", "get") for plural in scaled} | {(plural, "list") for plural in scaled}
    watched = {(plural, verb) for plural in ("pods", "scalingpolicies") for verb in ("list", "watch")}
    told = {("scalingpolicies/status", "patch"), ("events", "create")}
    registered = {("apiservices", "create"): own, ("apiservices", "patch"): own}
    anywhere = scales | watched | told | {("apiservices", "list"), ("resourcequotas", "list")}
    assert rights == {one: {"*"} for one in anywhere} | registered


@pytest.mark.e2e
def test_what_kustomize_makes_leaves_the_cluster_s_apis_alone(machine: None, tmp_path: Path) -> None:
    """`kubectl apply` looks for no other owner: only `tidecast` may register."""
    assert "APIService" not in {one["kind"] for one in render(tmp_path)}
