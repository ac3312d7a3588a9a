"""A JSON object of a case, read field by field: a wrong one is named, an unread one is remembered."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from adapter.hpa.arithmetic import INT64_MAX, INT64_MIN
from cme.core.durations import SECOND_MS

T = TypeVar("T")


class Malformed(Exception):
    """A case that can't be run; its text says which field and why."""


class Fields:
    """One object; `path` is where it stands in the case."""

    def __init__(self, raw: object, path: str) -> None:
        if not isinstance(raw, Mapping):
            raise Malformed(f"{path} is not an object")
        self._raw, self.path = raw, path
        self._read: set[str] = set()
        self._inner: list[Fields] = []

    def __contains__(self, name: str) -> bool:
        return name in self._raw

    def names(self) -> list[str]:
        return list(self._raw)

    def is_null(self, name: str) -> bool:
        """Null or left out."""
        self._read.add(name)
        return self._raw.get(name) is None

    def raw(self, name: str) -> Any:
        self._read.add(name)
        if name not in self._raw:
            raise Malformed(f"{self.path}.{name} is missing")
        return self._raw[name]

    def integer(self, name: str) -> int:
        value = self.raw(name)
        if not _is_integer(value):
            raise Malformed(f"{self.path}.{name} is not a whole number of 64 bits: {value!r}")
        return int(value)

    def number(self, name: str) -> float:
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Malformed(f"{self.path}.{name} is not a number: {value!r}")
        return float(value)

    def text(self, name: str) -> str:
        value = self.raw(name)
        if not isinstance(value, str):
            raise Malformed(f"{self.path}.{name} is not text: {value!r}")
        return value

    def flag(self, name: str) -> bool:
        value = self.raw(name)
        if not isinstance(value, bool):
            raise Malformed(f"{self.path}.{name} is not true or false: {value!r}")
        return value

    def milliseconds(self, name: str) -> int:
        """A field in seconds."""
        return round(self.number(name) * SECOND_MS)

    def inner(self, name: str) -> "Fields":
        return self._keep(Fields(self.raw(name), f"{self.path}.{name}"))

    def each(self, name: str) -> "Iterator[Fields]":
        """The objects of a list."""
        for index, one in enumerate(self._list(name)):
            yield self._keep(Fields(one, f"{self.path}.{name}[{index}]"))

    def integers(self, name: str) -> tuple[int, ...]:
        values = self._list(name)
        if not all(map(_is_integer, values)):
            raise Malformed(f"{self.path}.{name} is not a list of whole numbers of 64 bits: {values!r}")
        return tuple(values)

    def optional(self, name: str, read: Callable[[str], T], otherwise: T) -> T:
        """`read(name)`, or `otherwise` where the field is null or left out."""
        return otherwise if self.is_null(name) else read(name)

    def unread(self) -> list[str]:
        """Paths of fields that nobody asked for."""
        own = [f"{self.path}.{name}" for name in self._raw if name not in self._read]
        return own + [path for one in self._inner for path in one.unread()]

    def _list(self, name: str) -> list[Any]:
        value = self.raw(name)
        if not isinstance(value, list):
            raise Malformed(f"{self.path}.{name} is not a list: {value!r}")
        return value

    def _keep(self, one: "Fields") -> "Fields":
        self._inner.append(one)
        return one


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and INT64_MIN <= value <= INT64_MAX
