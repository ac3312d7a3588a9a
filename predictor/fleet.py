"""All engines: one for each length of beat that some series needs, sharing a pool."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from predictor.calendar import Calendar
from predictor.engine import Forecast
from predictor.feed import Feed, Timed
from predictor.grid import BEAT_MS, BEATS_MS, L, Q, T
from predictor.pool import Pool
from predictor.presets import BEST, Preset
from predictor.steps import Moved, Steps
from predictor.trust.record import FIGURES, Day

log = logging.getLogger("tidecast.predictor")

Saved = Mapping[str, NDArray[Any]]


class Fleet:
    """Each series is learned by the engine of the beat that fits its step, and by no other.

    Every engine is told of every minute, for time passes for all. A series whose step changed begins anew in its new
    engine; what the old one knows of it stays there, for the day it comes back.
    """

    def __init__(self, preset: Preset = BEST, timed: Timed = nullcontext) -> None:
        self.newest_ms, self._preset, self._timed, self.pool = 0, preset, timed, Pool()
        self._calendars: Mapping[int, Calendar] = {}
        self._steps = Steps()
        self._feeds = {BEAT_MS: Feed(BEAT_MS, self.pool, preset, timed)}

    @property
    def beat(self) -> int:
        """The newest closed beat of five minutes; -1 before the first."""
        return self._feeds[BEAT_MS].engine.beat

    @property
    def series(self) -> int:
        return len(self._steps.ids)

    @property
    def open_since_ms(self) -> int:
        """From where on minutes are needed again, after a `load`."""
        return min(feed.open_since_ms for feed in self._feeds.values())

    def follow(self, calendars: Mapping[int, Calendar]) -> None:
        """From now on the days of these series are local ones."""
        self._calendars = calendars
        for feed in self._feeds.values():
            feed.follow(calendars)

    def learn(self, minute: Batch) -> bool:
        """Take in a record of `minutes`; returns whether a beat of five minutes closed."""
        closed = {feed.beat_ms for feed, part in self._parts(minute) if feed.learn(part)}
        return BEAT_MS in closed

    def prime(self, minute: Batch, seasons: bool) -> None:
        """Take in a record without learning from it."""
        for feed, part in self._parts(minute):
            feed.prime(part, seasons)

    def forecast(self) -> tuple[NDArray[np.uint64], Forecast]:
        """Ids and forecasts of all series, from the newest minute."""
        values = np.full((T, L, Q, self.series), np.nan, dtype=np.float32)
        uncalibrated, distrust = (np.zeros(self.series, dtype=np.uint32) for _ in range(2))
        shifted_ms = np.zeros(self.series, dtype=np.int64)
        for feed, mine, rows in self._members():
            made = feed.forecast(rows, self._steps.newest(mine, self.newest_ms), self.newest_ms)
            values[..., mine], uncalibrated[mine] = made.values, made.uncalibrated
            distrust[mine], shifted_ms[mine] = made.distrust, made.shifted_ms
        return self._steps.ids, Forecast(values, uncalibrated, distrust, shifted_ms)

    def compared(self) -> tuple[Day, NDArray[np.uint32]]:
        """What became of the last day's forecasts of all series, and whom that leaves in distrust."""
        figures = np.zeros((len(FIGURES), L * T, self.series), dtype=np.float32)
        distrust = np.zeros(self.series, dtype=np.uint32)
        for feed, mine, rows in self._members():
            day, distrust[mine] = feed.compared(rows)
            figures[..., mine] = [getattr(day, figure) for figure in FIGURES]
        return Day(*figures), distrust

    def _members(self) -> Iterator[tuple[Feed, NDArray[np.intp], NDArray[np.intp]]]:
        """Each engine with its series' places among all and its rows of them."""
        for beat_ms, feed in self._feeds.items():
            mine = np.flatnonzero(self._steps.beats_ms == beat_ms)
            yield feed, mine, feed.engine.rows(self._steps.ids[mine].tolist())

    def save(self) -> dict[str, NDArray[Any]]:
        """All memory, for a checkpoint: that of the five-minute engine, and beside it what is of other beats."""
        saved = self._feeds[BEAT_MS].engine.save()
        saved |= {f"steps/{name}": array for name, array in self._steps.save().items()}
        for beat_ms, feed in self._feeds.items():
            if beat_ms != BEAT_MS:
                own = feed.engine.save().items()
                saved |= {_prefix(beat_ms) + name: a for name, a in own if not name.startswith("pool")}
        return saved

    def load(self, saved: Saved) -> None:
        """Take over what `save` gave. Raises ValueError or KeyError when it does not fit."""
        self._feeds[BEAT_MS].load(saved)
        self._steps.load(_within("steps/", saved))
        for beat_ms in BEATS_MS:
            if own := _within(_prefix(beat_ms), saved):
                self._feed(beat_ms).load({**saved, **own})

    def _parts(self, minute: Batch) -> Iterator[tuple[Feed, Batch]]:
        """What of a minute is whose, after all who move have moved."""
        self.newest_ms = max(self.newest_ms, minute.time_ms)
        for moved in self._steps.take(minute):
            _tell(moved)
            self._feed(moved.beat_ms)
        beats_ms = self._steps.beats_of(minute.series)
        for beat_ms, feed in self._feeds.items():
            yield feed, _rows(minute, beats_ms == beat_ms)

    def _feed(self, beat_ms: int) -> Feed:
        if beat_ms not in self._feeds:
            self._feeds[beat_ms] = Feed(beat_ms, self.pool, self._preset, self._timed)
            self._feeds[beat_ms].follow(self._calendars)
        return self._feeds[beat_ms]


def _rows(minute: Batch, which: NDArray[np.bool_]) -> Batch:
    if which.all():
        return minute
    columns = {name: minute.numbers(name)[which] for name in ("mean", "max", "flags")}
    return Batch(minute.topic, minute.time_ms, minute.series[which], columns)


def _tell(moved: Moved) -> None:
    """A new series in beats of five minutes is nothing to speak of."""
    if moved.before_ms or moved.beat_ms > BEAT_MS:
        minutes = moved.beat_ms // MINUTE_MS
        log.info("series %016x is now learned in beats of %d minutes, as its step is", moved.series, minutes)


def _prefix(beat_ms: int) -> str:
    return f"{beat_ms // MINUTE_MS}m/"


def _within(prefix: str, saved: Saved) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): a for name, a in saved.items() if name.startswith(prefix)}
