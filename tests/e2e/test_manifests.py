"""deploy/ says nothing that tidecast or a cluster does not understand."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from adapter.api.paths import VERSIONS
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
    assert PurePosixPath(container["args"][-1]).parent in mounts
    assert split_address(settings.https, "https")[1] == container["ports"][0]["containerPort"]
    assert settings.kubernetes is not None


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
