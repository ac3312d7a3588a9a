"""One series with second opinions: what its models say now, what was said of origins that wait for their truth."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.durations import MINUTE_MS
from predictor.grid import LEADS_MS, Q, T
from predictor.opinions.mix import Mix
from predictor.opinions.outlook import LEADS, NOTHING, Doubles, Outlook
from predictor.opinions.recent import Recent

EVERY_MS = 20 * MINUTE_MS
"""Between two origins that are learned from: errors of neighboring ones say nearly the same."""


@dataclass(frozen=True, slots=True)
class _Origin:
    time_ms: int
    competitors: Doubles  # [lead, target, K, Q]
    mean: Doubles  # [lead, target, M]
    deviation: Doubles


class Opinion:
    """Feeds a mix. `outlooks`, what its models said last, and when they were `asked_ms` last are set by `fitting`."""

    def __init__(self, models: tuple[str, ...]) -> None:
        self.models, self.mix, self.recent = models, Mix(len(models)), Recent()
        self.outlooks: dict[str, Outlook] = {}
        self.asked_ms: dict[str, int] = {}
        self._waiting: tuple[deque[_Origin], ...] = tuple(deque() for _ in LEADS)
        self._newest_ms = 0

    def mixed(self, engine: Doubles, now_ms: int) -> Doubles:
        """The quantiles to serve, [lead, target, Q], of the engine's; keeps an origin every `EVERY_MS`."""
        said = [self.outlooks.get(model, NOTHING) for model in self.models]
        cells = [outlook.cells(now_ms) for outlook in said]
        mean, deviation = (np.stack(part, axis=-1) for part in zip(*cells, strict=True))
        largest = np.array([outlook.largest for outlook in said])
        competitors = self.mix.competitors(engine, mean, deviation, largest)
        if now_ms // EVERY_MS > self._newest_ms // EVERY_MS:
            self._newest_ms = now_ms
            for waiting in self._waiting:
                waiting.append(_Origin(now_ms, competitors, mean, deviation))
        return self.mix.combined(competitors)

    def take_minute(self, end_ms: int, mean: float, largest: float) -> bool:
        """A closed minute; returns whether something was learned from it."""
        self.recent.take(end_ms, mean, largest)
        learned = [self._learn(lead, end_ms) for lead in range(len(LEADS))]
        return any(learned)

    def _learn(self, lead: int, end_ms: int) -> bool:
        waiting, lead_ms, learned = self._waiting[lead], LEADS_MS[LEADS[lead]], False
        while waiting and waiting[0].time_ms + lead_ms <= end_ms:
            origin = waiting.popleft()
            truth = self.recent.truth(origin.time_ms, lead_ms)
            self.mix.learn(lead, truth, origin.competitors[lead], origin.mean[lead], origin.deviation[lead])
            learned = True
        return learned

    def save(self) -> dict[str, NDArray[Any]]:
        """Its memory; the minutes are in the log, and the models are fitted again."""
        saved = self.mix.save() | {"models": np.array(self.models)}
        for lead, waiting in enumerate(self._waiting):
            saved[f"{lead}.times"] = np.array([o.time_ms for o in waiting], dtype=np.int64)
            for name in _PARTS:
                shape = (-1, *self._shape(name))
                parts = [getattr(o, name) for o in waiting]
                saved[f"{lead}.{name}"] = np.array(parts, dtype=float).reshape(shape)
        return saved

    def load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `save` gave. Raises ValueError when it is of other models or another version."""
        if tuple(saved.get("models", ())) != self.models:
            raise ValueError("saved opinions are of other models")
        self.mix.load(saved)
        for lead, waiting in enumerate(self._waiting):
            columns = [saved[f"{lead}.{name}"] for name in ("times", *_PARTS)]
            waiting.extend(_Origin(int(time), *parts) for time, *parts in zip(*columns, strict=True))
            self._newest_ms = max([self._newest_ms, *(origin.time_ms for origin in waiting)])

    def _shape(self, name: str) -> tuple[int, ...]:
        models = len(self.models)
        return (len(LEADS), T, models + 1, Q) if name == "competitors" else (len(LEADS), T, models)


_PARTS = ("competitors", "mean", "deviation")
