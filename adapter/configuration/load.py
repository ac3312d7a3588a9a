"""Settings from a file and from flags; flags win."""

from pathlib import Path
from typing import Any

from adapter.configuration.yaml_file import name_of, read_documents
from cme.core.documents import parse_document
from cme.core.settings import Configuration, Settings, parse_configuration


def read_configuration(path: Path | None, flags: dict[str, Any]) -> Configuration:
    """The documents of a YAML file, and flags that were given (not None). Raises InvalidInput."""
    found = _parsed(path) if path else Configuration(Settings())
    given = {name: value for name, value in flags.items() if value is not None}
    merged = found.settings.model_dump(mode="json", by_alias=True) | given
    return Configuration(parse_document(Settings, merged, "settings"), found.policies, path)


def _parsed(path: Path) -> Configuration:
    return parse_configuration([document.data for document in read_documents(path)], name_of(path))
