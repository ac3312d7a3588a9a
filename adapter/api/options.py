"""The query of a request, as the list options of Kubernetes: what does not parse is 400, what is not known is ignored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapter.api.selectors import Selector, as_label_selector, parse_selector
from adapter.api.status import ApiError, Json

_NUMBERS = ("limit", "timeoutSeconds")
_NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_FIELD = re.compile(r"(?P<key>[^=!]+)(?P<op>==|=|!=)(?P<value>[^=!]*)")
_FIELDS = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, slots=True)
class Options:
    """`objects` is about labels of described objects, or of external series; `series` about those of the metric."""

    objects: Selector
    series: Selector
    echo: Json | None
    """What `series` was made of, as a LabelSelector; None where nothing was asked."""


def read_options(query: Mapping[str, str], name: str = "") -> Options:
    """`name` is that of the path, which a fieldSelector may only repeat; "" where there is none. Raises ApiError 400."""
    for option in _NUMBERS:
        if (number := query.get(option)) and not _NUMBER.fullmatch(number):
            raise ApiError(400, f"{option} must be a whole number")
    if fields := query.get("fieldSelector", ""):
        _check_fields(fields, name)
    objects, series = query.get("labelSelector", ""), query.get("metricLabelSelector", "")
    return Options(parse_selector(objects), parse_selector(series), as_label_selector(series))


def _check_fields(text: str, name: str) -> None:
    """Raises ApiError 400."""
    named: list[str] = []
    for term in text.split(","):
        match = _FIELD.fullmatch(term.strip())
        if match is None:
            raise ApiError(400, f"unable to parse field selector {text[:200]!r}; write metadata.name=NAME")
        if match["key"] not in _FIELDS:
            raise ApiError(
                400, f"field label {match['key'][:200]!r} is not supported; {' and '.join(_FIELDS)} are"
            )
        if match["key"] == "metadata.name" and match["op"] != "!=":
            named.append(match["value"])
    if name and name not in named:
        raise ApiError(400, f"fieldSelector metadata.name doesn't match requested name {name}")
