"""The nowcast of a running predictor: tells at every tick, learns once a minute, and is kept across restarts."""

import logging
from collections import deque
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.policy import SOON_MS
from predictor import checkpoint
from predictor.lookup import Lookup, Rows
from predictor.nowcast.regression import EVERY_MS
from predictor.nowcast.sight import Doubles, Seen, Sight, sight
from predictor.nowcast.teller import Origin, Teller
from predictor.nowcast.trail import Minute, Tick, Trail

log = logging.getLogger("tidecast.predictor")


class _Waiting(NamedTuple):
    time_ms: int
    origin: Origin


class Nowcast:
    """Of all series that it was ever asked about. Its memory is `nowcast.state` beside the log."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "nowcast.state"
        self._begin()
        self._load()

    def take_minute(self, minute: Batch) -> None:
        """A record of `minutes`."""
        rows = np.array([self._row.get(series, -1) for series in minute.series.tolist()], dtype=np.intp)
        asked = rows >= 0
        mean, largest = (minute.numbers(name)[asked].astype(float) for name in ("mean", "max"))
        self._trail.take_minute(
            Minute(minute.time_ms, self._placed(rows[asked], mean), self._placed(rows[asked], largest))
        )

    def tell(
        self, now_ms: int, series: NDArray[np.uint64], loads: Doubles, truths: Doubles, expected: Doubles
    ) -> Doubles:
        """[Q, series]: quantiles of the largest sample within SOON_MS; NaN where nothing can be told, or is not trusted.

        `loads` [series] are the newest samples, `truths` those that are no lower bounds, `expected` [L, Q, series] the engine's
        largest loads; NaN where unknown.
        """
        rows = self._rows(series)
        loads, truths, expected = (self._placed(rows, one) for one in (loads, truths, expected))
        self._trail.take_tick(Tick(now_ms, loads, truths))
        seen = sight(Seen(loads, self._trail.back(now_ms), *self._trail.windows(), expected))
        self._learn(now_ms, seen)
        return self._teller.standing.tell(seen)[:, rows]

    def save(self) -> None:
        """Write the memory; a full disk costs what was learnt since the last time, nothing else."""
        if not self._row:
            return
        saved = self._teller.save() | self._trail.save()
        saved |= {"series": np.array(list(self._row), dtype=np.uint64)}
        for number, (time_ms, origin) in enumerate(self._waiting):
            saved |= {f"waiting{number}.{name}": array for name, array in origin.save().items()}
            saved[f"waiting{number}"] = np.array(time_ms)
        checkpoint.keep(self._path, saved, "after a restart the nowcast learns anew")

    def _learn(self, now_ms: int, seen: Sight) -> None:
        if self._waiting and now_ms < self._waiting[-1].time_ms:  # the clock was set back
            self._waiting.clear()
        while self._waiting and self._waiting[0].time_ms + SOON_MS <= now_ms:
            time_ms, origin = self._waiting.popleft()
            self._teller.learn(origin, self._trail.largest_since(time_ms))
        due = not self._waiting or now_ms >= self._waiting[-1].time_ms + EVERY_MS
        if due and np.isfinite(seen.scale).any():
            self._waiting.append(_Waiting(now_ms, self._teller.origin(seen)))

    def _rows_of(self, series: list[int]) -> Rows:
        new = [one for one in dict.fromkeys(series) if one not in self._row]
        if new:
            self._row |= {one: len(self._row) + place for place, one in enumerate(new)}
            self._teller.grow(len(new))
            self._trail.grow(len(new))
            self._waiting.clear()  # they are of fewer series
        return np.array([self._row[one] for one in series], dtype=np.intp)

    def _placed(self, rows: Rows, values: Doubles) -> Doubles:
        """[..., rows] -> [..., all series]"""
        placed = np.full((*values.shape[:-1], len(self._row)), np.nan)
        placed[..., rows] = values
        return placed

    def _begin(self) -> None:
        self._row: dict[int, int] = {}
        self._rows = Lookup(self._rows_of)
        self._teller, self._trail = Teller(), Trail()
        self._waiting: deque[_Waiting] = deque()

    def _load(self) -> None:
        saved = checkpoint.load(self._path)
        if saved is None:
            return
        try:
            self._teller.load(saved)
            self._trail.load(saved)
            self._row = {series: row for row, series in enumerate(saved["series"].tolist())}
            while (name := f"waiting{len(self._waiting)}") in saved:
                self._waiting.append(_Waiting(int(saved[name]), Origin.loaded(saved, name)))
        except (ValueError, KeyError) as error:
            log.warning("%s: %s; the nowcast learns anew", self._path, error)
            self._begin()
