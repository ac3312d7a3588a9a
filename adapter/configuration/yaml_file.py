"""Documents of a YAML file, each with the lines on which its fields are written."""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.composer import Composer, ComposerError
from yaml.constructor import SafeConstructor
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.resolver import Resolver

from cme.core.documents import FieldPath
from cme.core.errors import InvalidInput

STANDARD_INPUT = Path("-")
DEEPEST = 64
MOST_ALIASED = 10_000


class InvalidYaml(InvalidInput):
    """A text is not YAML, as is seen on a `line`, which counts from 1."""

    def __init__(self, what: str, file: str, line: int) -> None:
        super().__init__(what, f"{file}, line {line}", "correct the YAML")
        self.file, self.line = file, line

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[Any, ...]]:
        return type(self), (self.what, self.file, self.line)


class _Size(NamedTuple):
    """Of a node with all that its aliases stand for: how many nodes, and how deep."""

    nodes: int
    depth: int


class _Loader(Composer, CParser, SafeConstructor, Resolver):
    """libyaml's parser, which takes a fourth of the time of the one in Python, beneath a composer that refuses a key that stands
    twice, of which others keep the last without a word; and what is written in a few bytes but has no end for who walks
    through it: nests without bounds, and aliases of aliases."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self._depth = self._aliased = 0
        self._whole: set[yaml.Node] = set()
        self._sizes: dict[yaml.Node, _Size] = {}  # of what aliases stand for

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        begin: Any = self.peek_event().start_mark  # type: ignore[union-attr]
        is_alias = self.check_event(yaml.AliasEvent)
        if self._depth > DEEPEST:
            raise ComposerError(None, None, f"it is nested more than {DEEPEST} deep", begin)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        assert node is not None
        if is_alias:
            self._take_alias(node, begin)
        else:
            self._whole.add(node)
        return node

    def _take_alias(self, node: yaml.Node, begin: yaml.Mark) -> None:
        if node not in self._whole:
            raise ComposerError(None, None, "an alias stands within what it stands for", begin)
        size = self._size(node)
        self._aliased += size.nodes
        if self._aliased > MOST_ALIASED:
            raise ComposerError(None, None, f"its aliases stand for more than {MOST_ALIASED} values", begin)
        if self._depth + size.depth > DEEPEST:
            raise ComposerError(None, None, f"it is nested more than {DEEPEST} deep", begin)

    def _size(self, node: yaml.Node) -> _Size:
        if node not in self._sizes:
            parts = [self._size(part) for part in _parts(node)]
            self._sizes[node] = _Size(
                1 + sum(part.nodes for part in parts), 1 + max((part.depth for part in parts), default=0)
            )
        return self._sizes[node]

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise ComposerError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
                seen.add(key.value)
        return node


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        yield from itertools.chain.from_iterable(node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


@dataclass(frozen=True)
class YamlDocument:
    """One document that is not empty; `number` counts those of its file from 1."""

    file: str
    number: int
    data: Any
    node: yaml.Node

    def line(self, path: FieldPath) -> int:
        """Where a field is written, or what is nearest around it; from 1."""
        node, mark = self.node, self.node.start_mark
        for part in path:
            found = _child(node, part)
            if found is None:
                break
            mark, node = found
        return int(mark.line) + 1


def read_documents(path: Path) -> list[YamlDocument]:
    """Of a file, or of standard input for `-`. Raises InvalidYaml, and InvalidInput when it can't be read."""
    name = name_of(path)
    return list(parse_documents(_text(path, name), name))


def name_of(path: Path) -> str:
    """What people see of a file."""
    return "<stdin>" if path == STANDARD_INPUT else str(path)


def _text(path: Path, name: str) -> str:
    try:
        return (sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()).decode()
    except OSError as error:
        raise InvalidInput(error.strerror or "can't be read", name, "name another file") from None
    except UnicodeDecodeError:
        raise InvalidInput("it is not text in UTF-8", name, "write it as YAML") from None


def parse_documents(text: str, name: str) -> Iterator[YamlDocument]:
    number, line = 0, 1
    try:
        loader = _Loader(text)
        while loader.check_node() and (node := loader.get_node()):
            line = node.start_mark.line + 1
            data = loader.construct_document(node)
            if data is not None:
                number += 1
                yield YamlDocument(name, number, data, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = ": ".join(filter(None, (error.context, error.problem)))
        raise InvalidYaml(told, name, mark.line + 1 if mark else line) from None
    except (yaml.YAMLError, ValueError) as error:  # a date that no calendar has is a ValueError
        raise InvalidYaml(" ".join(str(error).split()), name, line) from None


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    """Where a key or a list's item is written, and its value."""
    if isinstance(node, yaml.MappingNode):
        pairs = [(key.start_mark, value) for key, value in node.value if key.value == str(part)]
        return pairs[-1] if pairs else None
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark, node.value[part]
    return None
