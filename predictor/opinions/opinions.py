"""All series with second opinions: chosen by policies, fed by minutes, mixed into what is forecast, kept on disk."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.log.protocol import Log
from cme.log.reading import batches_behind
from cme.runtime.telemetry import PredictorTelemetry
from predictor import checkpoint
from predictor.engine import Forecast
from predictor.grid import LEADS_MS, QUANTILES
from predictor.opinions.opinion import Opinion
from predictor.opinions.outlook import LEADS
from predictor.opinions.recent import MINUTES

log = logging.getLogger("tidecast.predictor")

MOST = 100
"""Pairs of series and model: a fit may take minutes, and there is one process for all of them."""
_SHOWN = QUANTILES.index(0.95)


@dataclass(frozen=True)
class Chosen:
    """A series of a policy that names models."""

    key: SeriesKey
    opinion: Opinion


class Opinions:
    """By series id. Its memory is `opinions.state` beside the log; what that lacks is read from the log's minutes."""

    def __init__(self, log_: Log, telemetry: PredictorTelemetry, folder: Path) -> None:
        self._log, self._telemetry, self._path = log_, telemetry, folder / "opinions.state"
        self.chosen: dict[int, Chosen] = {}

    def choose(self, policies: Iterable[ScalingPolicy], now_ms: int) -> None:
        """Take over which series have which models. Raises LogFailed."""
        wanted = dict(_wanted(policies))
        kept = {
            series: one
            for series, one in self.chosen.items()
            if series in wanted and wanted[series][1] == one.opinion.models
        }
        new = {
            series: Chosen(key, Opinion(models))
            for series, (key, models) in wanted.items()
            if series not in kept
        }
        if new:
            self._recall(new, now_ms)
        self.chosen = kept | new
        self._telemetry.model_weight.clear()
        self._telemetry.model_loss_ratio.clear()

    def take_minute(self, minute: Batch) -> None:
        """A record of `minutes`."""
        for series, one in self.chosen.items():
            if _take(series, one.opinion, minute):
                self._tell(one)

    def mixed(self, ids: NDArray[np.uint64], forecast: Forecast, now_ms: int) -> Forecast:
        """The forecast with the chosen series' second opinions."""
        rows = {int(series): row for row, series in enumerate(ids)} if self.chosen else {}
        values = forecast.values.copy()
        for series, one in self.chosen.items():
            if series in rows:
                engine = forecast.values[:, LEADS, :, rows[series]].swapaxes(0, 1).astype(float)
                values[:, LEADS, :, rows[series]] = one.opinion.mixed(engine, now_ms).swapaxes(0, 1)
        return replace(forecast, values=values)

    def save(self) -> None:
        """Write the memory; a full disk costs what was learned since the last time, nothing else."""
        if not self.chosen:
            return
        saved: dict[str, NDArray[Any]] = {"series": np.array(list(self.chosen), dtype=np.uint64)}
        for series, one in self.chosen.items():
            saved |= {f"{series}/{name}": array for name, array in one.opinion.save().items()}
        checkpoint.keep(self._path, saved, "the models are weighed anew after a restart")

    def _recall(self, new: dict[int, Chosen], now_ms: int) -> None:
        """What was learned of the series before a restart, and their newest minutes."""
        saved = checkpoint.load(self._path) if self._path.exists() else None
        for series, one in new.items():
            own = {n.split("/", 1)[1]: a for n, a in (saved or {}).items() if n.startswith(f"{series}/")}
            try:
                if own:
                    one.opinion.load(own)
            except (ValueError, KeyError) as error:
                log.warning("%s: %s of %s; its models are weighed anew", self._path, error, one.key)
        position = self._log.position_at(["minutes"], now_ms - MINUTES * MINUTE_MS)
        for minute in batches_behind(self._log, ["minutes"], position):
            for series, one in new.items():
                _take(series, one.opinion, minute)

    def _tell(self, one: Chosen) -> None:
        mix = one.opinion.mix
        ratios = mix.loss_ratios(_SHOWN)
        for number, model in enumerate(one.opinion.models):
            for place, lead in enumerate(LEADS):
                labels = (str(one.key.workload), one.key.signal, model, f"{LEADS_MS[lead] // MINUTE_MS}m")
                weight = mix.weights[place, :, number + 1, _SHOWN].mean()
                self._telemetry.model_weight.labels(*labels).set(weight)
                self._telemetry.model_loss_ratio.labels(*labels).set(ratios[place, number])


def _take(series: int, opinion: Opinion, minute: Batch) -> bool:
    rows = np.flatnonzero(minute.series == series)
    if not len(rows):
        return False
    mean, largest = (float(minute.numbers(name)[rows[0]]) for name in ("mean", "max"))
    return opinion.take_minute(minute.time_ms, mean, largest)


def _wanted(policies: Iterable[ScalingPolicy]) -> Iterable[tuple[int, tuple[SeriesKey, tuple[str, ...]]]]:
    """Series and their models, as many as there is room for."""
    pairs = 0
    for policy in policies:
        models = policy.spec.forecast.models
        for signal in policy.spec.signals if models else ():
            key = policy.series(signal)
            if pairs + len(models) > MOST:
                log.warning("%s goes without %s: there is room for %d fits", key, ", ".join(models), MOST)
                continue
            pairs += len(models)
            yield key.id, (key, models)
