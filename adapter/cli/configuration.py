"""Settings from a file and from flags; flags win."""

from pathlib import Path
from typing import Any

import yaml

from cme.core.documents import parse_document
from cme.core.errors import InvalidInput
from cme.core.settings import Configuration, Settings, parse_configuration


def read_configuration(path: Path | None, flags: dict[str, Any]) -> Configuration:
    """The documents of a YAML file, and flags that were given (not None). Raises InvalidInput."""
    found = parse_configuration(_documents(path), str(path)) if path else Configuration(Settings())
    given = {name: value for name, value in flags.items() if value is not None}
    merged = found.settings.model_dump(mode="json", by_alias=True) | given
    return Configuration(parse_document(Settings, merged, "settings"), found.policies)


def _documents(path: Path) -> list[Any]:
    try:
        return [document for document in yaml.safe_load_all(path.read_text()) if document is not None]
    except OSError as error:
        raise InvalidInput(error.strerror or "can't be read", str(path), "name another file") from None
    except UnicodeDecodeError:
        raise InvalidInput("it is not text in UTF-8", str(path), "write it as YAML") from None
    except yaml.YAMLError as error:
        raise InvalidInput(" ".join(str(error).split()), str(path), "correct the YAML") from None
