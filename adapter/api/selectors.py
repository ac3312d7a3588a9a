"""Label selectors in the text form of Kubernetes: `app=web,tier in (a,b),!canary`."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from adapter.api.status import ApiError

Selector = Callable[[Mapping[str, str]], bool]

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
    """Whether labels fulfil all requirements of `text`; an empty one selects all. Raises ApiError 400."""
    requirements: list[Selector] = []
    text, place = text.strip(), 0
    if len(text) > MAX_LENGTH:
        raise ApiError(400, f"the label selector is longer than {MAX_LENGTH} characters")
    while place < len(text):
        match = _REQUIREMENT.match(text, place)
        if match is None or (match.end() == len(text) and text.endswith(",")):
            raise ApiError(400, f"unable to parse label selector {text[:200]!r} at character {place + 1}")
        requirements.append(_requirement(match))
        place = match.end()
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(match: re.Match[str]) -> Selector:
    part = match.groupdict()
    if part["set"]:
        values = {value.strip() for value in part["values"].split(",")}
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
