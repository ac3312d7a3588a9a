"""The engine's memory on disk: one numpy archive beside the log, replaced in one step, checked on reading.

A restarted predictor loads it and learns the minutes since; without a usable one it learns all minutes again.
"""

import io
import logging
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger("tidecast.predictor")

MAGIC = b"TCE1"


def save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write durably: a loss of power leaves the old archive or the new one. Raises OSError."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    body = buffer.getvalue()
    scratch = path.with_suffix(".new")
    with scratch.open("wb") as file:
        file.write(MAGIC + zlib.crc32(body).to_bytes(4, "little") + body)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path) -> dict[str, NDArray[Any]] | None:
    """The archive's arrays; None, said aloud, when there is none that can be trusted."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:  # as at the first start
        log.info("%s is not there; the engine learns from the minutes of the log", path)
        return None
    except OSError as error:
        log.warning("%s can't be read: %s; the engine learns from the minutes of the log again", path, error)
        return None
    if len(data) < 8 or data[:4] != MAGIC or zlib.crc32(data[8:]) != int.from_bytes(data[4:8], "little"):
        log.warning("%s is damaged; the engine learns from the minutes of the log again", path)
        return None
    try:
        with np.load(io.BytesIO(data[8:]), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile):
        log.warning("%s can't be read by this version; the engine learns from the minutes again", path)
        return None
