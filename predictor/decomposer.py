"""Once a day every series is decomposed into trend, day, week and rest, for people to see."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.clock import Clock
from cme.core.durations import DAY_MS, HOUR_MS
from cme.log.protocol import Log
from cme.log.reading import batches_behind
from predictor.models.worker import decompose_all
from predictor.records import blocks

HOURS = 28 * 24
PERIOD_MS = DAY_MS


class Decomposer:
    """Owner of the topic decompositions."""

    def __init__(self, log_: Log, clock: Clock) -> None:
        self._log, self._clock = log_, clock

    async def turn(self) -> None:
        """Decompose what the log has of the last 28 days. Raises LogFailed, WorkerFailed."""
        now = self._clock.now_ms()
        end_ms = now // HOUR_MS * HOUR_MS
        ids, hours = await asyncio.to_thread(self._read, end_ms)
        if len(ids):
            found = await decompose_all(end_ms, hours)
            await asyncio.to_thread(self._log.append, batches_of(now, ids, found))

    def _read(self, end_ms: int) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
        """Ids of all series, ascending, and their hourly means [hours, series] up to `end_ms`, NaN for gaps."""
        known = [batch.series for batch in self._log.newest("series")]
        ids = np.unique(np.concatenate(known)) if known else np.array([], dtype=np.uint64)
        hours = np.full((HOURS, len(ids)), np.nan, dtype=np.float32)
        position = self._log.position_at(["hours"], end_ms - (HOURS - 1) * HOUR_MS)
        for batch in batches_behind(self._log, ["hours"], position):
            row = HOURS - 1 - (end_ms - batch.time_ms) // HOUR_MS
            mine = np.isin(batch.series, ids)
            if 0 <= row < HOURS:
                hours[row, np.searchsorted(ids, batch.series[mine])] = batch.numbers("mean")[mine]
        return ids, hours


def batches_of(now_ms: int, ids: NDArray[np.uint64], found: Sequence[dict[str, Any] | None]) -> list[Batch]:
    """One text a series: JSON of its parts, empty where there is too little to tell."""
    texts = tuple(json.dumps(parts) if parts else "" for parts in found)
    return blocks(Batch("decompositions", now_ms, ids, {"parts": texts}))
