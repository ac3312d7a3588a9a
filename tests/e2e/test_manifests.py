"""deploy/ says nothing that tidecast or a cluster does not understand."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from cme.core.settings import parse_configuration, split_address
from tests.e2e.deployed import DEPLOY, render


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_the_settings_fit_the_pod() -> None:
    settings = parse_configuration(documents("base/tidecast.yaml"), "tidecast.yaml").settings
    (deployment,) = documents("base/deployment.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    mounts = {PurePosixPath(mount["mountPath"]): mount for mount in container["volumeMounts"]}
    assert not mounts[PurePosixPath(settings.data)].get("readOnly")
    assert settings.certificate
    assert PurePosixPath(settings.certificate.cert_file).parent in mounts
    assert PurePosixPath(container["args"][-1]).parent in mounts
    assert split_address(settings.https, "https")[1] == container["ports"][0]["containerPort"]
    assert settings.kubernetes is not None


def test_it_may_do_what_it_asks_for_and_write_of_policies_alone() -> None:
    role = documents("base/cluster-access.yaml")[0]
    rights = {
        (resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]
    }
    scales = {(f"{plural}/scale", "get") for plural in ("deployments", "replicasets", "statefulsets")}
    watched = {(plural, verb) for plural in ("pods", "scalingpolicies") for verb in ("list", "watch")}
    assert rights == scales | watched | {("scalingpolicies/status", "patch"), ("events", "create")}


@pytest.mark.e2e
def test_only_the_installation_decides_whom_the_aggregator_believes(machine: None, tmp_path: Path) -> None:
    services = [one["spec"] for one in render(tmp_path, 443, b"PEM") if one["kind"] == "APIService"]
    assert {(one["group"], one["version"], one["versionPriority"]) for one in services} == {
        ("custom.metrics.k8s.io", "v1beta2", 200),
        ("custom.metrics.k8s.io", "v1beta1", 100),
        ("external.metrics.k8s.io", "v1beta1", 100),
    }
    assert all(one["caBundle"] and not one.get("insecureSkipTLSVerify") for one in services)


def test_the_base_leaves_the_cluster_s_apis_alone() -> None:
    kinds = {
        one["kind"] for path in (DEPLOY / "base").glob("*.yaml") for one in documents(f"base/{path.name}")
    }
    assert "APIService" not in kinds
