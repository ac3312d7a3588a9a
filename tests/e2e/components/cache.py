"""Folders that are made once: named by a hash of what they are made from, and complete or absent."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def root() -> Path:
    """The user's cache folder of these tests."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tidecast-e2e"


def cached(name: str, inputs: Iterable[bytes], make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills from `inputs`; of runs at the same time one makes it, the others wait."""
    digest = hashlib.sha256(b"\0".join(inputs)).hexdigest()[:16]
    made = root() / f"{name}-{digest}"
    if made.exists():
        return made
    root().mkdir(parents=True, exist_ok=True)
    with _lock(root() / f"{name}.lock"):
        if not made.exists():
            _clear(name)
            scratch = Path(tempfile.mkdtemp(prefix=_prefix(name), dir=root()))
            make(scratch)
            scratch.rename(made)
    return made


def _prefix(name: str) -> str:
    return f".{name}.making."


def _clear(name: str) -> None:
    """Remove what builds that were killed left behind."""
    for left in root().glob(f"{_prefix(name)}*"):
        shutil.rmtree(left)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
