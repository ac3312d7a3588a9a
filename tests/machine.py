"""What a test needs of the machine beside Python: what is missing skips it, on CI it fails it."""

import os
import shutil
from typing import NoReturn

import pytest

REQUIRED = "TIDECAST_REQUIRE_COMPONENTS"
"""Set to 1, a missing program is a failure instead of a skip."""


def require(*programs: str) -> None:
    """Go on only with all of these on the path."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        lacking(", ".join(missing))


def lacking(what: str) -> NoReturn:
    """End the test, as this machine has no `what`."""
    text = f"this machine lacks {what}"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(text)
    pytest.skip(text)
