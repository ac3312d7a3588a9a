"""What is found, given the facts."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.api.own_certificate import LIFETIME, OwnCertificate, names_of
from adapter.autoscaler.live import hpas
from adapter.autoscaler.manifest import manifest
from adapter.doctor.facts import Facts
from adapter.registration.rule import ApiService, planned
from cme.core.errors import KubeFailed
from tests.unit.adapter.doctor.stage import ASKED, NOW, complaints, days, healthy, ours
from tests.unit.adapter.registration.stage import CUSTOM, EXTERNAL, api_service
from tests.unit.adapter.stage import policy

FORBIDDEN = KubeFailed("GET: forbidden")


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return healthy(tmp_path)


def plan(*services: ApiService) -> Mapping[str, Any]:
    return {"plan": planned(services, ASKED.registration)}


def test_all_is_well(facts: Facts) -> None:
    assert complaints(facts) == []


def test_before_an_installation_nothing_is_amiss(facts: Facts) -> None:
    rights = dict.fromkeys(facts.rights, False)
    assert complaints(facts, installed=False, rights=rights, values={}, certificate=None, **plan()) == []


@pytest.mark.parametrize(
    ("changed", "level", "check", "text"),
    [
        ({"version": "v1.19.0"}, "error", "API server", "no version with autoscaling/v2"),
        ({"ahead_s": 6.0}, "warning", "clock", "6 s ahead of"),
        ({"ahead_s": -61.0}, "error", "clock", "61 s behind"),
        ({"ahead_s": FORBIDDEN}, "warning", "clock", "forbidden"),
        ({"trust": {"data": {}}}, "error", "aggregation", "requestheader-client-ca-file"),
        ({"trust": FORBIDDEN}, "warning", "aggregation", "forbidden"),
        ({"tolerant": False}, "warning", "HPA tolerance", "changes of up to 10 % are not followed"),
        ({"tolerant": FORBIDDEN}, "warning", "HPA tolerance", "forbidden"),
        ({"scales_to_zero": FORBIDDEN}, "warning", "scale to zero", "forbidden"),
        ({"plan": FORBIDDEN}, "error", "groups", "forbidden"),
        ({"hpas": FORBIDDEN}, "warning", "HPA", "forbidden"),
        ({"hpas": []}, "warning", "HPA", "shop/web: missing: spec.scaleTargetRef"),
        ({"scaled_objects": FORBIDDEN}, "warning", "KEDA", "forbidden"),
        ({"vertical": FORBIDDEN}, "warning", "VPA", "forbidden"),
        ({"values": {"/apis/x": FORBIDDEN}}, "error", "metric", "forbidden: its HPA keeps the size"),
    ],
)
def test_each_fact_has_its_finding(
    changed: dict[str, Any], level: str, check: str, text: str, facts: Facts
) -> None:
    (found,) = complaints(facts, **changed)
    assert found[:2] == (level, check)
    assert text in found[2]


def test_each_right_that_is_missing_is_named_with_its_purpose(facts: Facts) -> None:
    found = complaints(facts, rights=dict.fromkeys(facts.rights, False))
    assert len(found) == len(facts.rights)
    assert all(level == "error" and " may not " in text for level, _, text in found)
    told = "\n".join(text for *_, text in found)
    me = "system:serviceaccount:tidecast:tidecast"
    assert f"{me} may not get deployments/scale.apps: how many of its replicas run is not known" in told
    assert f"{me} may not list deployments.apps: they can't be selected by their labels" in told
    assert f"{me} may not get configmaps extension-apiserver-authentication in kube-system: " in told
    assert f"horizontal-pod-autoscaler may not list *.{EXTERNAL}: no HPA gets a number of it" in told


def test_rights_that_can_not_be_asked_for_are_one_warning(facts: Facts) -> None:
    ((level, check, text),) = complaints(facts, rights=dict.fromkeys(facts.rights, FORBIDDEN))
    assert (level, check) == ("warning", "access")
    assert text == f"{len(facts.rights)} rights are not known: GET: forbidden"


def test_a_right_is_asked_for_as_the_service_account(facts: Facts) -> None:
    (scale,) = [one.review()["spec"] for one in facts.rights if "scale" in one.resource]
    assert scale["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:tidecast",
        "system:authenticated",
    ]
    assert (scale["resourceAttributes"]["resource"], scale["resourceAttributes"]["subresource"]) == (
        "deployments",
        "scale",
    )


def test_a_foreign_group_is_an_error_with_its_owner(facts: Facts) -> None:
    foreign = ApiService.of(api_service(f"v1beta1.{CUSTOM}", "monitoring/prometheus-adapter"))
    ((level, check, text),) = complaints(facts, installed=False, values={}, **plan(foreign))
    assert (level, check) == ("error", "groups")
    assert "v1beta1 belongs to monitoring/prometheus-adapter" in text


def test_a_group_that_is_free_after_the_installation_is_a_warning(facts: Facts) -> None:
    found = complaints(facts, values={}, **plan())
    assert [(level, check, text.split()[0]) for level, check, text in found] == [
        ("warning", "groups", CUSTOM),
        ("warning", "groups", EXTERNAL),
    ]


def test_half_a_group_and_one_that_is_no_longer_asked_for_are_told(facts: Facts) -> None:
    _, newer, external = ours(_authorities(facts))
    (half,) = complaints(facts, **plan(newer, external))
    assert half == ("warning", "groups", f"{CUSTOM} is ours, but v1beta1 is not registered")
    registration = ASKED.registration.model_copy(update={"groups": (CUSTOM,)})
    (left,) = complaints(facts, plan=planned(ours(_authorities(facts)), registration))
    assert left[:2] == ("warning", "groups")
    assert f"v1beta1.{EXTERNAL} leads here though registration.groups lacks its group" in left[2]


def test_what_is_unavailable_is_told_in_the_aggregator_s_words(facts: Facts) -> None:
    older, newer, external = ours(_authorities(facts))
    down = replace(newer, available=False, reason="MissingEndpoints", message="no endpoints")
    ((level, check, text),) = complaints(facts, **plan(older, down, external))
    assert (level, check) == ("error", "available")
    assert f"{down.name} is not" in text
    assert "MissingEndpoints: no endpoints" in text


@pytest.mark.parametrize(
    ("answered", "text"),
    [(KubeFailed("GET: 503, and no JSON object"), "GET: 503"), (False, "no APIResourceList")],
)
def test_what_is_available_and_not_answered_is_told(
    answered: KubeFailed | bool, text: str, facts: Facts
) -> None:
    found = complaints(facts, discovery={**facts.discovery, f"v1beta2.{CUSTOM}": answered})
    assert [one[:2] for one in found] == [("error", "discovery")]
    assert text in found[0][2]


def test_an_authority_of_another_is_an_error_where_the_certificate_is_at_hand(
    facts: Facts, tmp_path: Path
) -> None:
    other = OwnCertificate(tmp_path / "other", names_of(None), NOW).authorities
    found = complaints(facts, **plan(*ours(other)))
    assert [one[:2] for one in found] == [("error", "caBundle")] * 3
    assert complaints(facts, certificate=None, **plan(*ours(other))) == []


def test_no_authority_is_an_error(facts: Facts) -> None:
    found = complaints(facts, **plan(*ours("")))
    assert [one[:2] for one in found] == [("error", "caBundle")] * 3
    assert "the system's authorities count" in found[0][2]


@pytest.mark.parametrize(("left", "level"), [(13, "warning"), (-1, "error")])
def test_what_ends_soon_or_is_over_is_told(left: int, level: str, tmp_path: Path) -> None:
    found = complaints(healthy(tmp_path, NOW - LIFETIME + days(left)))
    assert [one[:2] for one in found] == [(level, "caBundle")] * 3 + [(level, "certificate")]


def test_an_hpa_that_asks_for_a_decision_without_a_policy_is_told(facts: Facts) -> None:
    assert not isinstance(facts.hpas, Exception)
    orphan = hpas([manifest(policy("orphan"), 36)], "live")
    (found,) = complaints(facts, hpas=[*facts.hpas, *orphan])
    assert found[:2] == ("warning", "HPA")
    assert found[2].startswith("shop/orphan asks for a decision on a target that no policy is about")


def test_what_an_hpa_stacks_on_the_policy_is_a_warning(facts: Facts) -> None:
    slow = manifest(ASKED.policies[0], 36)
    del slow["spec"]["behavior"]
    found = complaints(facts, hpas=hpas([slow], "live"))
    assert found
    assert all(one[:2] == ("warning", "HPA") and "stacked" in one[2] for one in found)


def scaled_object(**target: str) -> dict[str, Any]:
    return {"metadata": {"name": "so", "namespace": "shop"}, "spec": {"scaleTargetRef": target}}


def vertical(mode: str | None, name: str = "web") -> dict[str, Any]:
    policy = {"updatePolicy": {"updateMode": mode}} if mode else {}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {"metadata": {"name": "vpa", "namespace": "shop"}, "spec": {"targetRef": target, **policy}}


def test_a_scaled_object_on_the_same_target_is_an_error(facts: Facts) -> None:
    """Its kind is a Deployment when it says none."""
    ((level, check, text),) = complaints(facts, scaled_objects=[scaled_object(name="web")])
    assert (level, check) == ("error", "KEDA")
    assert "shop/web: the ScaledObject so scales shop/Deployment.apps/web, too" in text
    others = [scaled_object(name="other"), scaled_object(name="web", kind="StatefulSet")]
    assert complaints(facts, scaled_objects=others) == []


def test_a_vpa_that_only_recommends_is_left_alone(facts: Facts) -> None:
    assert complaints(facts, vertical=[vertical("Off"), vertical("Auto", "other")]) == []
    for mode in ("Auto", "Recreate", None):
        ((level, check, _),) = complaints(facts, vertical=[vertical(mode)])
        assert (level, check) == ("warning", "VPA")


def _authorities(facts: Facts) -> str:
    assert not isinstance(facts.plan, Exception)
    return facts.plan.ours[0].authorities
