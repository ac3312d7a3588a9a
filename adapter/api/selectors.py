"""Label selectors in the text form of Kubernetes: `app=web,tier in (a,b),!canary`."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from adapter.api.status import ApiError, Json

Selector = Callable[[Mapping[str, str]], bool]
_Part = Mapping[str, Any]  # what a requirement's groups matched

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}"
_VALUE = rf"(?:{_NAME})?"
# Possessive: each space has one place, else a list that does not end would be tried in 2^spaces ways.
_VALUES = rf"\s*+{_VALUE}\s*+(?:,\s*+{_VALUE}\s*+)*"
_REQUIREMENT = re.compile(
    rf"\s*(?:"
    rf"(?P<set>{_KEY})\s+(?P<in>in|notin)\s*\((?P<values>{_VALUES})\)"
    rf"|(?P<key>{_KEY})\s*(?P<op>==|=|!=)\s*(?P<value>{_VALUE})"
    rf"|(?P<number>{_KEY})\s*(?P<order>[<>])\s*(?P<limit>-?\d{{1,18}})"
    rf"|(?P<absent>!)?\s*(?P<exists>{_KEY})"
    rf")\s*(?:,|$)"
)
MAX_LENGTH = 16_384
_REMEMBERED = 1024
"""An HPA's selector is the same at every request."""


@lru_cache(_REMEMBERED)
def parse_selector(text: str) -> Selector:
    """Whether labels fulfil all requirements of `text`; an empty one is `everything`. Raises ApiError 400."""
    requirements = [_requirement(part) for part in _parts(text)]
    if not requirements:
        return everything
    return lambda labels: all(requirement(labels) for requirement in requirements)


def everything(labels: Mapping[str, str]) -> bool:
    """The selector that asks for no labels at all, so that they need not be known."""
    return True


@lru_cache(_REMEMBERED)
def as_label_selector(text: str) -> Json | None:
    """The LabelSelector of meta/v1 that means the same, None where `text` is empty; not to be changed. Raises ApiError 400,
    also for `<` and `>`, which have no such form.
    """
    equal: dict[str, str] = {}
    expressions: list[Json] = []
    for part in _parts(text):
        if part["order"]:
            raise ApiError(400, f"{part['order']!r} is not supported in metricLabelSelector")
        if part["op"] in ("=", "=="):
            equal[part["key"]] = part["value"]
        else:
            expressions.append(_expression(part))
    made: Json = {
        "matchLabels": equal,
        "matchExpressions": sorted(expressions, key=lambda one: str(one["key"])),
    }
    return {name: content for name, content in made.items() if content} or None


def _expression(part: _Part) -> Json:
    """A LabelSelectorRequirement."""
    if part["set"]:
        operator = "In" if part["in"] == "in" else "NotIn"
        return {"key": part["set"], "operator": operator, "values": sorted(_values(part))}
    if part["key"]:
        return {"key": part["key"], "operator": "NotIn", "values": [part["value"]]}
    return {"key": part["exists"], "operator": "DoesNotExist" if part["absent"] else "Exists"}


def _parts(text: str) -> Iterator[_Part]:
    """The named groups of each requirement. Raises ApiError 400."""
    text, place = text.strip(), 0
    if len(text) > MAX_LENGTH:
        raise ApiError(400, f"the label selector is longer than {MAX_LENGTH} characters")
    while place < len(text):
        match = _REQUIREMENT.match(text, place)
        if match is None or (match.end() == len(text) and text.endswith(",")):
            raise ApiError(400, f"unable to parse label selector {text[:200]!r} at character {place + 1}")
        yield match.groupdict()
        place = match.end()


def _values(part: _Part) -> set[str]:
    return {value.strip() for value in part["values"].split(",")}


def _requirement(part: _Part) -> Selector:
    if part["set"]:
        values = _values(part)
        if part["in"] == "in":
            return lambda labels: labels.get(part["set"]) in values
        return lambda labels: labels.get(part["set"]) not in values
    if part["key"]:
        if part["op"] == "!=":
            return lambda labels: labels.get(part["key"]) != part["value"]
        return lambda labels: labels.get(part["key"]) == part["value"]
    if part["number"]:
        return lambda labels: _beyond(labels.get(part["number"], ""), part["order"], int(part["limit"]))
    if part["absent"]:
        return lambda labels: part["exists"] not in labels
    return lambda labels: part["exists"] in labels


def _beyond(value: str, order: str, limit: int) -> bool:
    if not re.fullmatch(r"-?\d{1,18}", value):
        return False
    return int(value) > limit if order == ">" else int(value) < limit
