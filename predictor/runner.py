"""The predictor: follows the log, learns each closed beat, forecasts each minute, decides each tick."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.clock import Clock
from cme.core.durations import DAY_MS, HOUR_MS
from cme.core.progress import Progress, silent
from cme.core.readings import REPLICAS_STALE_MS, Flag
from cme.core.settings import Settings
from cme.log.protocol import Log, Position
from cme.log.reading import batches_behind
from cme.runtime.telemetry import PredictorTelemetry
from predictor.calendar import calendars_of
from predictor.decide.chain import decide
from predictor.decide.measured import Limits
from predictor.decide.rules import Doubles, Rules, compile_rules
from predictor.decide.slow import SlowScaleDown
from predictor.drain import Drains
from predictor.grid import BEAT_MS
from predictor.learner import Learner
from predictor.nowcast.nowcast import Nowcast
from predictor.opinions.opinions import Opinions
from predictor.picture import Picture, Samples
from predictor.presets import PRESETS
from predictor.records import decision_batch, forecast_batches, history_batch, trust_batches
from predictor.trust.export import export

log = logging.getLogger("tidecast.predictor")

DOWNTIME_MS = 6 * HOUR_MS
"""After a longer one the past says nothing of what runs now."""

RELEARN_MS = 50
"""Of each turn go to learning the past anew, where a start had no checkpoint: at five turns a second a quarter of a
core."""

FOLLOWED = ("policies", "replicas", "samples", "minutes")


class Predictor:
    """Owner of the topics forecasts, forecast_history, trust, prior and decisions."""

    def __init__(
        self, log_: Log, clock: Clock, settings: Settings, telemetry: PredictorTelemetry, folder: Path
    ) -> None:
        self._log, self._clock, self._settings, self._telemetry = log_, clock, settings, telemetry
        self._learner = Learner(telemetry, folder, PRESETS[settings.forecast_preset])
        self._nowcast = Nowcast(folder)
        self._picture, self.opinions = Picture(), Opinions(log_, telemetry, folder)
        self._limits = Limits(settings.signal_stale_ms, settings.forecast_stale_after)
        self._rules: Rules = compile_rules([])
        self._slow, self._drains = SlowScaleDown(self._rules), Drains(self._rules)
        self._compile_due = False
        self._position: Position = {}
        self._decided = clock.monotonic_ms()
        self._published_ms = self._prior_ms = 0
        self._working = threading.Lock()  # a stop may save while a turn's thread is still at work

    def start(self, progress: Progress = silent) -> None:
        """Come back as it was: the engine from its checkpoint and the minutes since, the chain from its own
        decisions. Blocks; raises LogFailed, and whatever `progress` raises to cut it short."""
        now = self._clock.now_ms()
        with self._working:
            self._follow(("policies",))  # first, for the past's days are theirs
            learnt = self._learner.restore(self._log, now, progress)
            samples = self._log.position_at(["samples"], now - HOUR_MS)
            replicas = self._log.position_at(["replicas"], now - REPLICAS_STALE_MS)
            self._position = {**self._position, **learnt, **samples, **replicas}
            self._turn()

    async def turn(self) -> None:
        """Take in what is new; decide when a tick's samples came, or when a tick passed without any."""
        await asyncio.to_thread(self._exclusive_turn)

    def save(self) -> None:
        """Write the engine's memory down, also of a start that was cut short: the next one goes on from there."""
        with self._working:
            self._learner.save()
            self.opinions.save()
            self._nowcast.save()

    def _exclusive_turn(self) -> None:
        with self._working:
            self._turn()

    def _turn(self) -> None:
        sampled = self._follow()
        if self._learner.newest_ms != self._published_ms:
            self._publish()
        if sampled or self._clock.monotonic_ms() - self._decided >= self._settings.tick:
            self._decide()
        enough = self._clock.monotonic_ms() + RELEARN_MS
        self._learner.relearn(lambda: self._clock.monotonic_ms() >= enough)

    def _follow(self, topics: Sequence[str] = FOLLOWED) -> bool:
        """Read on to the log's end; returns whether samples came."""
        sampled = False
        while True:
            chunk = self._log.read(topics, self._position, 1000)
            self._position = chunk.position
            for damage in chunk.damages:
                log.error("%s", damage)
                self._telemetry.damages.inc()
            for batch in chunk.batches:
                sampled |= batch.topic == "samples"
                self._take(batch)
            if not chunk.batches:
                break
        if self._compile_due:  # also when reading failed behind the policies
            self._compile()
        return sampled

    def _take(self, batch: Batch) -> None:
        if batch.topic == "samples":
            self._picture.take_samples(batch)
        elif batch.topic == "policies":
            self._picture.take_policy(batch)
            self._compile_due = True
        elif batch.topic == "replicas":
            self._picture.take_replicas(batch)
            self._drains.take_replicas(batch)
        else:
            self._take_minute(batch)

    def _take_minute(self, batch: Batch) -> None:
        self.opinions.take_minute(batch)
        self._drains.take_minute(batch)
        self._nowcast.take_minute(batch)
        if self._learner.learn(batch) and self._learner.checkpoint_due():
            self._learner.save()
            self.opinions.save()
            self._nowcast.save()

    def _compile(self) -> None:
        """New rules, and the memory of their slow scale-down and drains from the decisions of the past."""
        policies = [policy for _, policy in sorted(self._picture.policies.items())]
        self._rules = compile_rules(policies)
        self._learner.follow(calendars_of(policies))
        self._slow, self._drains = SlowScaleDown(self._rules), Drains(self._rules)
        self.opinions.choose(policies, self._clock.now_ms())
        position = self._position_of_memory(self._clock.now_ms())
        for batch in batches_behind(self._log, ["decisions"], position):
            self._slow.recall(batch.time_ms, batch.series, batch.numbers("need"), batch.numbers("slowed"))
            if "drain" in batch.columns:  # older versions had none
                self._drains.recall(batch.series, batch.numbers("drain"))
        self._compile_due = False

    def _position_of_memory(self, now: int) -> Position:
        """From where decisions still matter: twice the longest window, or before a downtime that outlasted it."""
        longest = 2 * int(max([*self._rules.window_ms, *self._rules.period_ms], default=0))
        recent = self._log.position_at(["decisions"], now - longest)
        if self._log.read(["decisions"], recent, 1).batches:
            return recent
        return self._log.position_at(["decisions"], now - longest - DOWNTIME_MS)

    def _publish(self) -> None:
        """Forecast from the newest minute and write it down."""
        now = self._learner.newest_ms
        ids, forecast = self._learner.forecast()
        if len(ids):
            forecast = self.opinions.mixed(ids, forecast, now)
            batches = forecast_batches(now, ids, forecast)
            if now % BEAT_MS == 0:
                batches += [history_batch(now, ids, forecast), *self._compared(now, ids)]
            if now >= self._prior_ms + DAY_MS:
                batches += self._learner.prior()
                self._prior_ms = now
            self._log.append(batches)
            self._picture.take_forecast(ids, forecast, now)
        self._published_ms = now

    def _compared(self, now: int, ids: NDArray[np.uint64]) -> list[Batch]:
        """What became of earlier forecasts, as metrics and as records."""
        day, distrust = self._learner.compared()
        export(self._telemetry, day, distrust)
        return trust_batches(now, ids, day, distrust)

    def _decide(self) -> None:
        now = self._clock.now_ms()
        self._decided = self._clock.monotonic_ms()
        with self._telemetry.decide_seconds.time():
            samples = self._picture.samples(self._rules)
            soon = self._soon(samples, now)
            measured = self._picture.measured(self._rules, samples, soon, self._drains.learnt(self._rules))
            running = self._picture.running(self._rules, now)
            decisions = decide(self._rules, self._slow, measured, running, self._limits, now)
        if len(self._rules.replica_ids):
            self._log.append([decision_batch(now, self._rules, measured, decisions)])

    def _soon(self, samples: Samples, now_ms: int) -> Doubles:
        """What the nowcast says of samples that are fresh, [Q, signal row]."""
        fresh = np.abs(now_ms - samples.measured_ms) <= self._limits.signal_stale_ms
        loads = np.where(fresh, samples.values, np.nan)
        truths = np.where((samples.flags & np.uint8(Flag.SATURATED)) > 0, np.nan, loads)
        expected = self._picture.expected(samples)
        return self._nowcast.tell(now_ms, self._rules.signal_ids, loads, truths, expected)
