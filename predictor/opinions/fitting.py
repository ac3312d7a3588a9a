"""Has the models of the chosen series fitted, one at a time, in a process off the beat."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import numpy as np

from cme.core.clock import Clock
from cme.core.durations import HOUR_MS
from cme.log.protocol import Log
from cme.log.reading import batches_behind
from cme.runtime.telemetry import PredictorTelemetry
from predictor.grid import AT, MAX, T
from predictor.models.fitter import Refused, outlook
from predictor.models.process import WorkerFailed, WorkerSlow
from predictor.opinions.opinions import Chosen, Opinions
from predictor.opinions.outlook import Doubles, Outlook

log = logging.getLogger("tidecast.predictor")

PERIOD_MS = 10_000
"""Between two looks at what is due."""
EVERY_MS = 3 * HOUR_MS
"""Between two fits of a model to a series; an outlook reaches a day."""
HOURS = 28 * 24

Fit = Callable[[str, int, Doubles], Awaitable[Outlook]]


class Fitting:
    """A pool of one: the next fit begins when the last has ended, so that never more than one waits or runs."""

    def __init__(
        self, log_: Log, clock: Clock, opinions: Opinions, telemetry: PredictorTelemetry, fit: Fit = outlook
    ) -> None:
        self._log, self._clock, self._opinions, self._telemetry, self._fit = (
            log_,
            clock,
            opinions,
            telemetry,
            fit,
        )

    async def turn(self) -> None:
        """Fit what is due. Raises LogFailed."""
        for series, one in list(self._opinions.chosen.items()):
            for model in one.opinion.models:
                now = self._clock.now_ms()
                if now - one.opinion.asked_ms.get(model, -EVERY_MS) >= EVERY_MS:
                    one.opinion.asked_ms[model] = now
                    await self._one(series, one, model)

    async def _one(self, series: int, one: Chosen, model: str) -> None:
        """A model that fails is dropped until its next turn, and its reason is said."""
        end_ms = self._clock.now_ms() // HOUR_MS * HOUR_MS
        hours = await asyncio.to_thread(hours_of, self._log, series, end_ms)
        try:
            with self._telemetry.model_seconds.labels(model).time():
                one.opinion.outlooks[model] = await self._fit(model, end_ms, hours)
            self._telemetry.model_fits.labels(model).inc()
        except (WorkerFailed, Refused) as error:
            one.opinion.outlooks.pop(model, None)
            self._telemetry.model_failures.labels(model, _reason(error)).inc()
            log.warning("%s: %s says nothing until it is fitted again: %s", one.key, model, error)


def hours_of(log_: Log, series: int, end_ms: int) -> Doubles:
    """Means and maxima of a series' hours up to `end_ms`, [target, HOURS], NaN for gaps. Raises LogFailed."""
    hours = np.full((T, HOURS), np.nan)
    position = log_.position_at(["hours"], end_ms - (HOURS - 1) * HOUR_MS)
    for batch in batches_behind(log_, ["hours"], position):
        place = HOURS - 1 - (end_ms - batch.time_ms) // HOUR_MS
        rows = np.flatnonzero(batch.series == series)
        if 0 <= place < HOURS and len(rows):
            hours[AT, place] = batch.numbers("mean")[rows[0]]
            hours[MAX, place] = batch.numbers("max")[rows[0]]
    return hours


def _reason(error: WorkerFailed | Refused) -> str:
    if isinstance(error, Refused):
        return str(error)
    return "too slow" if isinstance(error, WorkerSlow) else "ended"
