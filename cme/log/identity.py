"""Which log this is: a random text that is made with it, so that a position is never taken to another log.

It names the row of numbers, not the file: a repaired file goes on with the same numbers and keeps it.
"""

import os
import secrets
from pathlib import Path

from cme.log.database import fsync

FILE = "identity"


def make(folder: Path) -> None:
    """Another one than there was. Raises OSError."""
    draft = folder / f"{FILE}.draft"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(16))
    fsync(draft)
    draft.replace(folder / FILE)
    fsync(folder)


def read(folder: Path) -> str:
    """Raises OSError."""
    return (folder / FILE).read_text(errors="replace")
