"""The grammar of https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.api.selectors import as_label_selector, everything, parse_selector
from adapter.api.status import ApiError

WEB = {"app": "web", "tier": "front", "size": "12", "empty": "", "example.com/team": "red"}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        (" \t ", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web", True),
        ("app=api", False),
        ("gone=web", False),
        ("app!=web", False),
        ("app!=api", True),
        ("gone!=web", True),
        ("app in (web)", True),
        ("app in (api, web)", True),
        ("app in(api,web)", True),
        ("app  in\t ( api\n,\tweb )", True),
        ("app in (api)", False),
        ("gone in (web)", False),
        ("app notin (api)", True),
        ("app notin (web,api)", False),
        ("gone notin (web)", True),
        ("app", True),
        ("gone", False),
        ("!app", False),
        ("!gone", True),
        ("! gone", True),
        ("size>11", True),
        ("size > 12", False),
        ("size<13", True),
        ("size<12", False),
        ("app>1", False),
        ("gone<1", False),
        ("size>-1", True),
        ("empty=", True),
        ("app=", False),
        ("empty in ()", True),
        ("app in (web,)", True),
        ("empty in (web,)", True),
        ("empty in (,web)", True),
        ("app in (a,,b)", False),
        ("app=web,tier=front", True),
        ("app=web , tier=back", False),
        ("app=web,!gone,size>1,tier in (front,back),empty", True),
        ("empty=,app=web", True),
        ("\rapp", True),
        ("example.com/team=red", True),
        ("example.com/team in (red,blue)", True),
        ("example.com/team", True),
        ("team", False),
    ],
)
def test_a_selector_matches_as_in_kubernetes(selector: str, matches: bool) -> None:
    assert parse_selector(selector)(WEB) is matches


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        ("in=notin", {"in": "notin"}),
        ("notin in (in)", {"notin": "in"}),
        ("in", {"in": ""}),
        ("0.1.2.domain/99 notin (10.10.100.1, tick.tack.clock)", {"0.1.2.domain/99": "x"}),
    ],
)
def test_words_of_the_grammar_may_be_names(selector: str, labels: Mapping[str, str]) -> None:
    assert parse_selector(selector)(labels)


@pytest.mark.parametrize(
    "selector",
    [
        "app=web,",
        "app=web, ",
        ",app=web",
        "app=web,,tier=front",
        "app==web==x",
        "app=a||tier=b",
        "!app=web",
        "app web",
        "app in",
        "app in web",
        "app in (web",
        "app in web)",
        "app in (a b)",
        "app in (web)tier in (x)",
        "app nott in (web)",
        "app in ((web))",
        "size>",
        "size<big",
        "size>1.5",
        "-app=web",
        "app=-web",
        "app=web-",
        "UPPER.example/app",
        "/app",
        "a/b/c",
        "app=käse",
        "app=" + "x" * 64,
        "x" * 64,
        "=",
        "!",
        "()",
    ],
)
def test_what_kubernetes_refuses_is_refused(selector: str) -> None:
    with pytest.raises(ApiError, match="unable to parse label selector") as error:
        parse_selector(selector)
    assert error.value.code == 400


def test_a_refusal_says_where() -> None:
    with pytest.raises(ApiError, match="at character 9"):
        parse_selector("app=web,=")


@pytest.mark.parametrize("gap", [" , ", ", ", " ", ",", "a , "])
def test_a_list_that_does_not_end_is_refused_at_once(gap: str) -> None:
    """The event loop must not hang on it: before, each space doubled the time."""
    with pytest.raises(ApiError, match="unable to parse"):
        parse_selector("app in (" + gap * 4_000 + "!")


def test_a_selector_has_a_largest_length() -> None:
    with pytest.raises(ApiError, match="longer than 16384"):
        parse_selector("a=b," * 5_000)


@dataclass(frozen=True)
class Requirement:
    """A requirement that is evaluated by the rules' own words."""

    key: str
    operator: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!exists":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"

    def fulfilled(self, labels: Mapping[str, str]) -> bool:
        present, value = self.key in labels, labels.get(self.key, "")
        match self.operator:
            case "exists":
                return present
            case "!exists":
                return not present
            case "=" | "==":
                return present and value == self.values[0]
            case "in":
                return present and value in self.values
            case ">" | "<":
                number = value.removeprefix("-").isdecimal()
                if not (present and number):
                    return False
                less, more = sorted((int(value), int(self.values[0])))
                ordered = int(value) == (more if self.operator == ">" else less)
                return ordered and less != more
            case _:
                return not present or value not in self.values


KEYS = st.sampled_from(["a", "b", "c.d", "x.io/e", "in"])
NUMBERS = st.integers(-20, 20).map(str)
VALUES = st.one_of(st.sampled_from(["", "a", "A-1", "x.y", "in"]), st.integers(0, 20).map(str))
REQUIREMENTS = st.one_of(
    st.builds(
        Requirement,
        KEYS,
        st.sampled_from(["exists", "!exists", "=", "==", "!=", "in", "notin"]),
        st.lists(VALUES, min_size=1, max_size=1).map(tuple),
    ),
    st.builds(
        Requirement,
        KEYS,
        st.sampled_from(["in", "notin"]),
        st.lists(VALUES, min_size=1, max_size=4).map(tuple),
    ),
    st.builds(
        Requirement, KEYS, st.sampled_from([">", "<"]), st.lists(NUMBERS, min_size=1, max_size=1).map(tuple)
    ),
)


@given(requirements=st.lists(REQUIREMENTS, max_size=4), labels=st.dictionaries(KEYS, VALUES, max_size=5))
def test_all_requirements_must_be_fulfilled(requirements: list[Requirement], labels: dict[str, str]) -> None:
    text = ",".join(requirement.text for requirement in requirements)
    expected = all(requirement.fulfilled(labels) for requirement in requirements)
    assert parse_selector(text)(labels) is expected


def fulfils(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """A LabelSelector by the words of its own description."""
    selector = selector or {}
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    by_operator = {
        "In": lambda one: labels.get(one["key"]) in one["values"],
        "NotIn": lambda one: labels.get(one["key"]) not in one["values"],
        "Exists": lambda one: one["key"] in labels,
        "DoesNotExist": lambda one: one["key"] not in labels,
    }
    return equal and all(by_operator[one["operator"]](one) for one in selector.get("matchExpressions", ()))


@given(
    requirements=st.lists(REQUIREMENTS, max_size=4, unique_by=lambda one: one.key),
    labels=st.dictionaries(KEYS, VALUES, max_size=5),
)
def test_the_object_form_of_a_selector_means_the_same(
    requirements: list[Requirement], labels: dict[str, str]
) -> None:
    text = ",".join(one.text for one in requirements)
    if any(one.operator in "<>" for one in requirements):
        with pytest.raises(ApiError, match="is not supported in metricLabelSelector"):
            as_label_selector(text)
    else:
        assert fulfils(as_label_selector(text), labels) is parse_selector(text)(labels)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("", None),
        (" ", None),
        ("a=b", {"matchLabels": {"a": "b"}}),
        ("a==", {"matchLabels": {"a": ""}}),
        ("a!=b", {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}),
        (
            "b in (y, x,y),a",
            {
                "matchExpressions": [
                    {"key": "a", "operator": "Exists"},
                    {"key": "b", "operator": "In", "values": ["x", "y"]},
                ]
            },
        ),
    ],
)
def test_a_selector_has_the_object_form_of_the_go_library(text: str, made: object) -> None:
    assert as_label_selector(text) == made


@pytest.mark.parametrize(("text", "all_of_them"), [("", True), (" \t", True), ("!a", False)])
def test_a_selector_that_asks_for_nothing_is_known_as_such(text: str, all_of_them: bool) -> None:
    assert (parse_selector(text) is everything) is all_of_them
