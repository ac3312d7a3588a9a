"""Which policies are in effect: the earlier of two that can't stand beside each other, files before objects."""

from typing import Any

import pytest

from cme.policies.standing import LONGEST_DOCUMENT, Fate, Origin, Standing, in_effect, read, side_by_side
from tests.unit.cme.policies.written import SETTINGS, document, policy

FILE, CLUSTER = Origin.FILE, Origin.CLUSTER
LOW: dict[str, Any] = {"scaleDown": {"window": "5m"}}
HIGH: dict[str, Any] = {"scaleDown": {"window": "9m"}}


def fates(*standings: Standing, limit: int = 9) -> dict[str, tuple[Fate, str]]:
    return {f"{s.origin}:{s.key}": (s.fate, s.problem) for s in side_by_side(standings, limit)}


def test_what_fits_is_in_effect() -> None:
    standing = read("shop/web", document("web"), None, SETTINGS)
    assert standing == Standing.valid(policy("web"), CLUSTER)
    assert standing.told == ""


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"signals": []}, "spec.signals"),
        ({"scaleDown": {"window": 5}}, "spec.scaleDown.window"),
        ({"holidays": ["2026-12-25"] * 50_000}, f"longer than {LONGEST_DOCUMENT} characters"),
    ],
)
def test_what_does_not_fit_leaves_the_last_good_one(spec: dict[str, Any], told: str) -> None:
    good = policy("web", **LOW)
    kept, new = (read("shop/web", document("web", **spec), last, SETTINGS) for last in (good, None))
    assert (kept.policy, new.policy) == (good, None)
    assert kept.fate is new.fate is Fate.INVALID
    assert told in new.problem
    assert kept.told == f"{new.told}; what was valid before stays in effect"


def test_a_connection_that_is_not_there_is_named() -> None:
    source = {"prometheus": {"connection": "main", "query": "up"}}
    spec: dict[str, Any] = {"signals": [{"name": "qps", "source": source, "perReplica": 1}]}
    assert (
        "there is no connection 'main'" in read("shop/web", document("web", **spec), None, SETTINGS).problem
    )


def test_an_object_may_scrape_only_where_the_settings_allow_it() -> None:
    source = {"scrape": {"targets": ["http://10.0.0.1/secrets"], "metric": "x"}}
    spec: dict[str, Any] = {"signals": [{"name": "qps", "source": source, "perReplica": 1}]}
    refused = read("shop/web", document("web", **spec), None, SETTINGS)
    assert refused.fate is Fate.INVALID
    assert "namespace shop may not use the source scrape" in refused.problem
    for namespaces in (("shop",), ("*",)):
        allowed = SETTINGS.model_copy(update={"scrape_namespaces": namespaces})
        assert read("shop/web", document("web", **spec), None, allowed).fate is Fate.IN_EFFECT
    elsewhere = SETTINGS.model_copy(update={"scrape_namespaces": ("other",)})
    assert read("shop/web", document("web", **spec), None, elsewhere).fate is Fate.INVALID


def test_a_file_comes_before_an_object_of_its_name() -> None:
    object_, file = Standing.valid(policy("web", **HIGH), CLUSTER), Standing.valid(policy("web", **LOW))
    judged = side_by_side([object_, file], 9)
    assert in_effect(judged) == [file.policy]
    assert fates(object_, file)["cluster:shop/web"] == (
        Fate.CONFLICT,
        "a file holds a policy shop/web, too; rename one",
    )


def test_the_earlier_of_two_of_a_target_stands() -> None:
    first, second = (Standing.valid(policy(name, target="web"), CLUSTER) for name in ("a", "b"))
    assert in_effect(side_by_side([first, second], 9)) == [first.policy]
    assert in_effect(side_by_side([second, first], 9)) == [second.policy]
    assert fates(first, second)["cluster:shop/b"] == (
        Fate.CONFLICT,
        "policy shop/a scales shop/Deployment.apps/web already; keep one policy per workload",
    )


def test_what_is_refused_takes_nobodys_place() -> None:
    broken = Standing("shop/a", CLUSTER, None, Fate.INVALID, "broken")
    other = Standing.valid(policy("b", target="a"), CLUSTER)
    assert in_effect(side_by_side([broken, other], 1)) == [other.policy]


def test_a_namespace_has_so_many_and_the_youngest_are_refused() -> None:
    many = [Standing.valid(policy(f"p{n}"), CLUSTER) for n in range(3)]
    elsewhere = Standing.valid(policy("p", namespace="other"), CLUSTER)
    found = fates(*many, elsewhere, limit=2)
    assert [found[f"cluster:{key}"][0] for key in ("shop/p0", "shop/p1", "shop/p2", "other/p")] == [
        Fate.IN_EFFECT,
        Fate.IN_EFFECT,
        Fate.TOO_MANY,
        Fate.IN_EFFECT,
    ]
    assert "namespace shop may have 2 policies" in found["cluster:shop/p2"][1]
