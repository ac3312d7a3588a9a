"""Documents people write (policies, settings): strict models, and errors that name file, path and remedy."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from cme.core.errors import InvalidInput


class Document(BaseModel):
    """Base of all document models: camelCase outside, unknown fields refused, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=False
    )


Model = TypeVar("Model", bound=BaseModel)


def parse_document(model: type[Model], data: Any, where: str) -> Model:
    """`data` (parsed YAML) as a model. Raises InvalidInput naming `where`, each field's path and its fault."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = [_fault(e["loc"], e["type"], e["msg"]) for e in error.errors()]
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        raise InvalidInput("; ".join(faults[:3]) + more, where, "correct it and try again") from None


def _fault(path: Iterable[str | int], kind: str, message: str) -> str:
    field = ".".join(str(part) for part in path) or "document"
    if kind == "extra_forbidden":
        return f"{field}: there is no such field; check its spelling"
    return f"{field}: {message.removeprefix('Value error, ')}"
