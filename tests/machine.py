"""What a test needs of the machine beside Python: what is missing skips it, on CI it fails it."""

import os
import shutil
from typing import NoReturn

import pytest

REQUIRED = "TIDECAST_REQUIRE_COMPONENTS"
"""Set to 1, what is missing is a failure instead of a skip."""


def require(*programs: str) -> None:
    """Go on only with all of these on the path."""
    lacking = [name for name in programs if shutil.which(name) is None]
    if not lacking:
        return
    lack(f"this machine lacks {', '.join(lacking)}")


def lack(text: str) -> NoReturn:
    """What is not there, and why: skips the test, on CI fails it."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(text)
    pytest.skip(text)
