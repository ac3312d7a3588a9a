"""A log told anew: the production predictor on a copy of what it followed, on a clock that is set to each decision's time.

So live and replay are held together: from the same samples, minutes, replicas and policies the same decisions must follow, to the
last bit. Samples that were written while a decision was made are told after it. What a restart or a clock that was set has
changed in between is not told anew: give a log of one run.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from prometheus_client import CollectorRegistry

from cme.core.batch import Batch
from cme.core.durations import HOUR_MS
from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Chunk, Log
from cme.log.reading import batches_behind
from cme.runtime.telemetry import PredictorTelemetry
from predictor.runner import FOLLOWED, Predictor


class RecordedClock:
    """Stands at the time of a recorded decision. Between two of them a tick has passed for sure, or samples have come: which of
    both is not recorded, and milliseconds of the wall clock do not tell it."""

    def __init__(self) -> None:
        self._now_ms = self._monotonic_ms = 0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    async def sleep_until(self, monotonic_ms: int) -> None:
        raise NotImplementedError("a predictor's turn waits for nothing")

    def stand(self, now_ms: int) -> None:
        self._now_ms, self._monotonic_ms = now_ms, self._monotonic_ms + HOUR_MS


class Retold(NamedTuple):
    recorded: Batch
    made: Batch


def retold(source: Log, settings: Settings, folder: Path) -> Iterator[Retold]:
    """Every recorded decision beside the one made anew. `folder` is empty, and gets the copy. Raises LogFailed."""
    copy = EmbeddedLog.open(folder, writable=True)
    try:
        yield from _retold(source, copy, settings, folder)
    finally:
        copy.close()


def _retold(source: Log, copy: EmbeddedLog, settings: Settings, folder: Path) -> Iterator[Retold]:
    predictor, clock = None, RecordedClock()
    waiting: list[Batch] = []
    made: Chunk | None = None
    for batch in batches_behind(source, [*FOLLOWED, "decisions"], {}):
        if batch.topic != "decisions":
            waiting.append(batch)
            continue
        later = [one.topic == "samples" and _is_later(one, batch) for one in waiting]
        copy.append([one for one, after in zip(waiting, later, strict=True) if not after])
        waiting = [one for one, after in zip(waiting, later, strict=True) if after]
        clock.stand(batch.time_ms)
        if predictor is None:
            predictor = Predictor(copy, clock, settings, PredictorTelemetry(CollectorRegistry()), folder)
            predictor.start()
        else:
            asyncio.run(predictor.turn())
        position = made.position if made else {}
        made = copy.read(["decisions"], position)
        yield Retold(batch, made.batches[-1])


def _is_later(samples: Batch, decision: Batch) -> bool:
    """Whether they were written while that was decided: it says itself that what it saw was measured before."""
    measured = dict(zip(samples.series.tolist(), samples.numbers("measured_ms").tolist(), strict=True))
    saw = zip(decision.series.tolist(), decision.numbers("raw_ms").tolist(), strict=True)
    return any(measured.get(series, 0) > raw_ms for series, raw_ms in saw)


def differences(one: Retold) -> list[str]:
    """Columns that are not the same, the time and the rows among them."""
    recorded, made = one
    found = [] if recorded.time_ms == made.time_ms else ["time_ms"]
    if not np.array_equal(recorded.series, made.series):
        return [*found, "series"]
    names = sorted(recorded.columns.keys() | made.columns.keys())
    return [*found, *(name for name in names if not _same(recorded, made, name))]


def _same(recorded: Batch, made: Batch, name: str) -> bool:
    if name not in recorded.columns or name not in made.columns:
        return False
    return np.array_equal(recorded.numbers(name), made.numbers(name), equal_nan=True)
