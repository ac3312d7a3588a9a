"""The predictor's work on one log, from its start to its end."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from cme.core.clock import Clock
from cme.core.progress import Progress
from cme.core.settings import Settings
from cme.log.protocol import Log
from cme.runtime.garbage import settle
from cme.runtime.tasks import every
from cme.runtime.telemetry import PredictorTelemetry
from predictor import decomposer
from predictor.decomposer import Decomposer
from predictor.opinions import fitting
from predictor.opinions.fitting import Fitting
from predictor.runner import Predictor

FOLLOW_MS = 200


class Interrupted(Exception):
    """A start was cut short by the wish to stop."""


class Predicting:
    """Its memory is kept in a folder."""

    def __init__(
        self,
        log: Log,
        clock: Clock,
        settings: Settings,
        telemetry: PredictorTelemetry,
        folder: Path,
        progress: Progress,
    ) -> None:
        """`progress` is told of the past that is learned at the start."""
        self._log, self._clock, self._telemetry, self._progress = log, clock, telemetry, progress
        self._predictor = Predictor(log, clock, settings, telemetry, folder)
        self._ending = threading.Event()

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled."""
        decompose = Decomposer(self._log, self._clock).turn
        fit = Fitting(self._log, self._clock, self._predictor.opinions, self._telemetry).turn
        return [
            self._predict(),
            every(decomposer.PERIOD_MS, self._clock, decompose, self._telemetry.faults.inc),
            every(fitting.PERIOD_MS, self._clock, fit, self._telemetry.faults.inc),
        ]

    async def close(self) -> None:
        """Write the memory down, also of a start that was cut short: the next one goes on from there."""
        await asyncio.to_thread(self._predictor.save)

    async def _predict(self) -> None:
        """Catch up in a thread while the collector is already collecting, then follow."""
        try:
            with contextlib.suppress(Interrupted):
                await asyncio.to_thread(self._predictor.start, self._report)
                await settle()
                await every(FOLLOW_MS, self._clock, self._predictor.turn, self._telemetry.faults.inc)
        finally:
            self._ending.set()

    def _report(self, done: int, total: int) -> None:
        if self._ending.is_set():
            raise Interrupted
        self._progress(done, total)
