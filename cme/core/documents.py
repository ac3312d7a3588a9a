"""Documents people write (policies, settings): strict models, and errors that name file, path and remedy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from cme.core.errors import InvalidInput, shortened

FieldPath = tuple[str | int, ...]
"""Keys and list positions from the document to a field; empty for the document as a whole."""


class Document(BaseModel):
    """Base of all document models: camelCase outside, unknown fields refused, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        strict=False,
        use_attribute_docstrings=True,  # `kubectl explain` shows them
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field."""

    path: FieldPath
    problem: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path)) or 'document'}: {self.problem}"


class InvalidDocument(InvalidInput):
    """A document does not fit its model; `faults` are all of it, the text has the first three."""

    def __init__(self, faults: Sequence[Fault], where: str) -> None:
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        super().__init__("; ".join(map(str, faults[:3])) + more, where, "correct it and try again")
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[Any, ...]]:
        return type(self), (self.faults, self.where)


Model = TypeVar("Model", bound=BaseModel)


def parse_document(model: type[Model], data: Any, where: str) -> Model:
    """`data` (parsed YAML) as a model. Raises InvalidDocument naming `where`, each field's path and its fault."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidDocument(list(_faults(error)), where) from None


def _faults(error: ValidationError) -> Iterator[Fault]:
    """All but that a list is too short whose items are at fault: pydantic leaves those out and counts the rest."""
    errors = error.errors()
    containers = {one["loc"][:depth] for one in errors for depth in range(len(one["loc"]))}
    for one in errors:
        if one["type"] != "too_short" or one["loc"] not in containers:
            yield Fault(one["loc"], _problem(one["type"], one["msg"]))


def _problem(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "there is no such field; check its spelling"
    if kind == "missing":
        return "it is missing; add it"
    return shortened(message.removeprefix("Value error, "))
