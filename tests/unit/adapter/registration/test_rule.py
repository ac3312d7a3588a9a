"""Which groups may be ours: none of which another server has a version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.registration.rule import ApiService, Plan, manifest, owner_of, planned
from cme.core.settings import MetricsGroup, Registration
from tests.unit.adapter.registration.stage import CUSTOM, EXTERNAL, Json, api_service

OURS, OTHER = "tidecast/tidecast", "monitoring/prometheus-adapter"
ALL = {(CUSTOM, "v1beta1"), (CUSTOM, "v1beta2"), (EXTERNAL, "v1beta1")}
NAMES = [f"v1beta1.{CUSTOM}", f"v1beta2.{CUSTOM}", f"v1beta1.{EXTERNAL}"]


def plan(*services: Json, groups: tuple[MetricsGroup, ...] = (CUSTOM, EXTERNAL)) -> Plan:
    return planned(map(ApiService.of, services), Registration(groups=groups))


def test_free_groups_become_ours_in_all_versions() -> None:
    made = plan(
        api_service("v1.apps", ""), api_service("v1beta1.metrics.k8s.io", "kube-system/metrics-server")
    )
    assert made.states == {CUSTOM: "free", EXTERNAL: "free"}
    assert set(made.wanted) == ALL
    assert not made.refusals


def test_what_is_ours_stays_ours_and_is_completed() -> None:
    made = plan(api_service(f"v1beta1.{CUSTOM}", OURS), groups=(CUSTOM,))
    assert made.states == {CUSTOM: "ours"}
    assert set(made.wanted) == {(CUSTOM, "v1beta1"), (CUSTOM, "v1beta2")}


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2", "v1alpha1"])
@pytest.mark.parametrize("owner", [OTHER, "tidecast/other", "other/tidecast", ""])
def test_any_version_of_another_owner_refuses_its_group_and_adds_nothing(version: str, owner: str) -> None:
    made = plan(api_service(f"{version}.{CUSTOM}", owner))
    assert made.states == {CUSTOM: "foreign", EXTERNAL: "free"}
    assert not made.wanted
    (refusal,) = made.refusals
    assert f"{CUSTOM}: {version} belongs to {owner or 'the API server itself'}" in refusal
    assert f"set registration.groups to [{EXTERNAL}]" in refusal


def test_the_free_group_alone_is_accepted() -> None:
    foreign = api_service(f"v1beta1.{CUSTOM}", OTHER)
    assert plan(foreign, groups=(EXTERNAL,)).wanted == [(EXTERNAL, "v1beta1")]
    assert not plan(foreign, groups=(EXTERNAL,)).refusals


def test_beside_keda_custom_is_offered() -> None:
    (refusal,) = plan(api_service(f"v1beta1.{EXTERNAL}", "keda/keda-operator-metrics-apiserver")).refusals
    assert f"set registration.groups to [{CUSTOM}]" in refusal


def test_without_a_free_group_none_is_offered() -> None:
    made = plan(api_service(f"v1beta1.{CUSTOM}", OTHER), api_service(f"v1beta1.{EXTERNAL}", "keda/keda"))
    assert [refusal.split(":")[0] for refusal in made.refusals] == [CUSTOM, EXTERNAL]
    assert all("take registration out of the settings" in refusal for refusal in made.refusals)


def test_what_is_ours_is_kept_when_another_comes_later() -> None:
    """Else our authorities there would be over some day, and its HPAs without an answer."""
    made = plan(api_service(f"v1beta2.{CUSTOM}", OURS), api_service(f"v1beta1.{CUSTOM}", OTHER))
    assert made.refusals
    assert made.wanted == [(CUSTOM, "v1beta2")]


def test_what_is_ours_is_kept_when_its_group_is_no_longer_asked_for() -> None:
    made = plan(api_service(f"v1beta1.{EXTERNAL}", OURS), groups=(CUSTOM,))
    assert (EXTERNAL, "v1beta1") in made.wanted


owners = st.sampled_from([None, OURS, OTHER, ""])


@given(
    st.fixed_dictionaries(dict.fromkeys(NAMES, owners)),
    st.sets(st.sampled_from([CUSTOM, EXTERNAL]), min_size=1),
)
def test_no_plan_touches_what_is_foreign_or_joins_a_foreign_group(
    found: dict[str, str | None], groups: set[MetricsGroup]
) -> None:
    services = [api_service(name, owner) for name, owner in found.items() if owner is not None]
    made = plan(*services, groups=tuple(sorted(groups)))
    for group, version in made.wanted:
        owner = found[f"{version}.{group}"]
        assert owner in (None, OURS)
        its = {one for name, one in found.items() if name.endswith(group)}
        assert owner == OURS or its <= {None, OURS}
    assert bool(made.refusals) == any(
        owner in (OTHER, "") and name.partition(".")[2] in groups for name, owner in found.items()
    )


def test_the_newer_version_is_preferred_and_the_authorities_are_given() -> None:
    asked = Registration(namespace="a", service="b", port=8443)
    newer, older = (manifest(CUSTOM, version, asked, "PEM") for version in ("v1beta2", "v1beta1"))
    assert newer["metadata"] == {"name": f"v1beta2.{CUSTOM}"}
    assert newer["spec"]["versionPriority"] > older["spec"]["versionPriority"]
    assert newer["spec"]["service"] == {"namespace": "a", "name": "b", "port": 8443}
    assert "insecureSkipTLSVerify" not in newer["spec"]
    back = ApiService.of(newer)
    assert (back.owner, back.authorities) == (owner_of(asked), "PEM")


def test_the_cluster_knows_an_authority_when_all_of_ours_have_it() -> None:
    one, two = api_service(f"v1beta1.{CUSTOM}", OURS, "new"), api_service(f"v1beta2.{CUSTOM}", OURS, "old")
    assert not plan(one, two).known("new")
    assert plan(one).known("new")
    assert plan().known("new")
