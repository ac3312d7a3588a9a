"""What a test needs of the machine beside Python: a program that is missing skips it, on CI it fails it."""

import os
import shutil

import pytest

REQUIRED = "TIDECAST_REQUIRE_COMPONENTS"
"""Set to 1, a missing program is a failure instead of a skip."""


def require(*programs: str) -> None:
    """Go on only with all of these on the path."""
    lacking = [name for name in programs if shutil.which(name) is None]
    if not lacking:
        return
    text = f"this machine lacks {', '.join(lacking)}"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(text)
    pytest.skip(text)
