from typing import Any

import pytest

from adapter.api import discovery
from adapter.api.discovery import MAX_RESOURCES
from adapter.api.paths import CUSTOM, EXTERNAL
from adapter.catalog import Catalog
from adapter.metrics import metric_names
from tests.unit.adapter.stage import Stage, policy


def listed(document: dict[str, Any]) -> list[str]:
    return [resource["name"] for resource in document["resources"]]


def test_both_groups_are_listed_with_the_preferred_version_first() -> None:
    document = discovery.groups()
    assert (document["kind"], document["apiVersion"]) == ("APIGroupList", "v1")
    assert {g["name"]: [v["version"] for v in g["versions"]] for g in document["groups"]} == {
        "custom.metrics.k8s.io": ["v1beta2", "v1beta1"],
        "external.metrics.k8s.io": ["v1beta1"],
    }


def test_a_group_names_its_versions() -> None:
    assert discovery.group(CUSTOM) == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": "custom.metrics.k8s.io",
        "versions": [
            {"groupVersion": "custom.metrics.k8s.io/v1beta2", "version": "v1beta2"},
            {"groupVersion": "custom.metrics.k8s.io/v1beta1", "version": "v1beta1"},
        ],
        "preferredVersion": {"groupVersion": "custom.metrics.k8s.io/v1beta2", "version": "v1beta2"},
    }


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
def test_the_custom_group_lists_objects_and_what_pods_share(version: str) -> None:
    document = discovery.resources(CUSTOM, version, Stage(policy("web")).view.catalog)
    assert document["groupVersion"] == f"custom.metrics.k8s.io/{version}"
    assert document["resources"][0] == {
        "name": "deployments.apps/qps",
        "singularName": "",
        "namespaced": True,
        "kind": "MetricValueList",
        "verbs": ["get"],
    }
    names = listed(document)
    assert [n for n in names if n.startswith("deployments.apps/")] == sorted(
        f"deployments.apps/{metric}" for metric in metric_names(["qps", "queue_backlog"])
    )
    assert [r["name"] for r in document["resources"] if not r["namespaced"]] == [
        "namespaces/qps",
        "namespaces/queue_backlog",
    ]
    assert [n for n in names if n.startswith("pods/")] == [
        "pods/qps_predicted",
        "pods/qps_scaling",
        "pods/queue_backlog_predicted",
        "pods/queue_backlog_scaling",
        "pods/replicas_scaling",
        "pods/replicas_schedule",
    ]


def test_the_external_group_lists_metrics_once() -> None:
    document = discovery.resources(EXTERNAL, "v1beta1", Stage(policy("web"), policy("api")).view.catalog)
    assert listed(document) == sorted(metric_names(["qps", "queue_backlog"]))
    assert {r["kind"] for r in document["resources"]} == {"ExternalMetricValueList"}


@pytest.mark.parametrize("group", [CUSTOM, EXTERNAL])
def test_discovery_needs_neither_data_nor_policies(group: str) -> None:
    document = discovery.resources(group, "v1beta1", Catalog())
    assert (document["kind"], document["resources"]) == ("APIResourceList", [])


@pytest.mark.parametrize("group", [CUSTOM, EXTERNAL])
def test_a_large_catalog_does_not_make_a_large_document(group: str) -> None:
    signals = [{"name": f"s{n}", "source": {"x": {}}, "perReplica": 1} for n in range(16)]
    kinds = [{"apiVersion": "x.io/v1", "kind": f"Kind{n}", "name": "a"} for n in range(40)]
    stage = Stage(*(policy(f"p{n}", targetRef=kind, signals=signals) for n, kind in enumerate(kinds)))
    assert len(listed(discovery.resources(group, "v1beta1", stage.view.catalog))) <= MAX_RESOURCES


@pytest.mark.parametrize("version", discovery.AGGREGATED)
def test_one_document_aggregates_all_groups(version: str) -> None:
    document = discovery.aggregated(version, Stage(policy("web")).view.catalog)
    assert (document["kind"], document["apiVersion"]) == (
        "APIGroupDiscoveryList",
        f"apidiscovery.k8s.io/{version}",
    )
    custom, external = document["items"]
    assert [v["version"] for v in custom["versions"]] == ["v1beta2", "v1beta1"]
    pods = next(r for r in custom["versions"][0]["resources"] if r["resource"] == "pods")
    assert pods["subresources"][0] == {
        "subresource": "qps_predicted",
        "responseKind": {"group": CUSTOM, "version": "v1beta2", "kind": "MetricValueList"},
        "verbs": ["get"],
    }
    assert pods | {"subresources": []} == {
        "resource": "pods",
        "responseKind": {"group": "", "version": "", "kind": ""},
        "scope": "Namespaced",
        "singularResource": "",
        "verbs": [],
        "subresources": [],
    }
    scopes = {r["resource"]: r["scope"] for r in custom["versions"][0]["resources"]}
    assert scopes == {"deployments.apps": "Namespaced", "namespaces": "Cluster", "pods": "Namespaced"}
    (version_of_external,) = external["versions"]
    assert {r["responseKind"]["kind"] for r in version_of_external["resources"]} == {
        "ExternalMetricValueList"
    }


def test_the_aggregated_document_needs_no_policies() -> None:
    document = discovery.aggregated("v2", Catalog())
    versions = [version for item in document["items"] for version in item["versions"]]
    assert [(v["freshness"], v["resources"]) for v in versions] == [("Current", [])] * 3
