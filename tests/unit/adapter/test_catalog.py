import pytest

from adapter.catalog import Catalog, Entry
from cme.core.identity import SeriesKey
from tests.unit.adapter.stage import policy

WEB, API = policy("web"), policy("api")
ARGO = policy("web", targetRef={"apiVersion": "argoproj.io/v1alpha1", "kind": "Deployment", "name": "web"})


def test_an_entry_knows_its_rows_in_the_log() -> None:
    entry = Entry.of(WEB)
    assert dict(entry.signals) == {s.name: WEB.series(s).id for s in WEB.spec.signals}
    assert entry.replicas_id == SeriesKey(WEB.workload, "replicas").id
    assert entry.labels == {"tidecast.dev/kind": "Deployment", "tidecast.dev/workload": "web"}


@pytest.mark.parametrize("resource", ["deployments.apps", "deployments"])
def test_a_workload_is_found_with_and_without_its_group(resource: str) -> None:
    found = Catalog([WEB, API]).find("shop", resource, "web")
    assert found is not None
    assert found.workload == WEB.workload


@pytest.mark.parametrize(
    ("namespace", "resource", "name"),
    [
        ("other", "deployments.apps", "web"),
        ("shop", "statefulsets.apps", "web"),
        ("shop", "deployments.apps", "gone"),
        ("", "", ""),
    ],
)
def test_what_is_not_there_is_not_found(namespace: str, resource: str, name: str) -> None:
    assert Catalog([WEB]).find(namespace, resource, name) is None


def test_a_name_of_two_workloads_means_neither() -> None:
    catalog = Catalog([WEB, ARGO])
    assert catalog.find("shop", "deployments", "web") is None
    for one in (WEB, ARGO):
        found = catalog.find("shop", Entry.of(one).resource, "web")
        assert found is not None
        assert found.workload == one.workload


def test_the_workloads_of_a_namespace_come_in_order() -> None:
    catalog = Catalog([WEB, API, policy("web", "other")])
    assert [e.workload.name for e in catalog.within("shop")] == ["api", "web"]
    assert list(catalog.within("nowhere")) == []
    assert len(catalog.entries) == 3


def test_a_kind_goes_by_the_plural_that_the_cluster_told() -> None:
    gateway = policy("web", targetRef={"apiVersion": "x.io/v1", "kind": "Gateway", "name": "web"})
    guessed, (told,) = (
        Catalog([gateway]),
        Catalog([gateway], {Entry.of(gateway).replicas_id: "gateways"}).entries,
    )
    assert guessed.find("shop", "gatewaies.x.io", "web")
    assert told.resource == "gateways.x.io"
    assert told.resources == {"gateways", "gateways.x.io", "gateway", "gateway.x.io"}
