"""What mature series have taught, as a record of the log: where an engine without a memory starts from.

Read at a start without a usable checkpoint, so that a new partition begins as the others did and a new series is
forecast from its first day by what all series showed.
"""

import logging
import zlib

import numpy as np

from cme.core.batch import Batch, series_ids
from cme.core.errors import InvalidInput
from cme.log.protocol import Log
from predictor.pool import Pool

log = logging.getLogger("tidecast.predictor")

TOPIC, KEY = "prior", "pool"
VERSION = 1
"""Of the meaning of the numbers; their names and shapes count by themselves."""


def prior_batch(now_ms: int, pool: Pool) -> Batch:
    """One row a coefficient; every row carries the version."""
    values = np.concatenate([array.ravel() for array in pool.coefficients().values()])
    version = np.full(len(values), version_of(pool), dtype=np.uint32)
    rows = series_ids(list(range(len(values))))
    return Batch(TOPIC, now_ms, rows, {"value": values, "version": version}, KEY)


def taken(batch: Batch, pool: Pool) -> None:
    """Let `pool` start from a record. Raises InvalidInput for one that is not of this version or holds no numbers."""
    old = pool.coefficients()
    values, version = batch.numbers("value"), batch.numbers("version")
    if len(values) != sum(array.size for array in old.values()) or (version != version_of(pool)).any():
        raise InvalidInput(
            "it is of another version", f"{TOPIC}/{KEY}", "let a predictor of this one write it"
        )
    if not np.isfinite(values).all():
        raise InvalidInput("not all of it are numbers", f"{TOPIC}/{KEY}", "let a predictor write it anew")
    ends = np.cumsum([array.size for array in old.values()])[:-1]
    parts = zip(old.items(), np.split(values, ends), strict=True)
    pool.start_from({name: part.reshape(array.shape) for (name, array), part in parts})


def start_from_log(log_: Log, pool: Pool) -> None:
    """Let `pool` start from the newest record; without a usable one from its constants, said aloud. Raises LogFailed."""
    for batch in log_.newest(TOPIC, KEY):
        try:
            taken(batch, pool)
        except (InvalidInput, KeyError) as error:
            log.warning("the log's prior is left out: %s; new series start from constants", error)


def version_of(pool: Pool) -> int:
    """CRC-32 of the version and of all names and shapes."""
    layout = [(name, array.shape) for name, array in pool.coefficients().items()]
    return zlib.crc32(repr((VERSION, layout)).encode())
