"""A memory on disk: one numpy archive beside the log, replaced in one step, checked on reading.

A restarted predictor loads it and learns the minutes since; without a usable one it learns all minutes again.
"""

import logging
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cme.log.database import fsync

log = logging.getLogger("tidecast.predictor")

MAGIC = b"TCE1"
HEAD_BYTES = 8  # magic and CRC-32 of what follows, little-endian


def save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write durably: a loss of power leaves the old archive or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    with scratch.open("w+b") as file:
        file.write(bytes(HEAD_BYTES))  # its place; what it says is known at the end
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        head = MAGIC + _crc_of_rest(file).to_bytes(4, "little")
        file.seek(0)
        file.write(head)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    fsync(path.parent)


def keep(path: Path, arrays: dict[str, NDArray[Any]], otherwise: str) -> None:
    """Write durably; a full disk costs what was learnt since the last time, nothing else: `otherwise` says what happens then."""
    try:
        save(path, arrays)
    except OSError as error:
        log.warning("can't write %s: %s; %s", path, error, otherwise)


def load(path: Path) -> dict[str, NDArray[Any]] | None:
    """The archive's arrays; None, said aloud, when there is none that can be trusted."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            if head[:4] == MAGIC and head[4:] == _crc_of_rest(file).to_bytes(4, "little"):
                file.seek(HEAD_BYTES)
                with np.load(file, allow_pickle=False) as archive:
                    return {name: archive[name] for name in archive.files}
        log.warning("%s is damaged; what it held is learnt anew", path)
    except FileNotFoundError:  # as at the first start
        log.info("%s is not there; what it would hold is learnt anew", path)
    except OSError as error:
        log.warning("%s can't be read: %s; what it held is learnt anew", path, error)
    except (ValueError, EOFError, zipfile.BadZipFile):
        log.warning("%s can't be read by this version; what it held is learnt anew", path)
    return None


def _crc_of_rest(file: BinaryIO) -> int:
    """CRC-32 of all behind the head, read in pieces: an archive of a large fleet is a gigabyte."""
    file.seek(HEAD_BYTES)
    crc = 0
    while piece := file.read(1 << 20):
        crc = zlib.crc32(piece, crc)
    return crc
