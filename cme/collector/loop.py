"""The collector: each tick reads every source at once under a deadline and appends one batch of samples."""

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cme.collector.readers import Reader, readers_of
from cme.collector.records import Row, describe, samples_batch, withdrawal
from cme.collector.rollup import Rollups
from cme.collector.sampling import Sampled
from cme.collector.saturation import Saturation
from cme.core.batch import Batch
from cme.core.clock import Clock
from cme.core.durations import HOUR_MS
from cme.core.identity import SeriesKey
from cme.core.policy_record import recorded_text
from cme.core.readings import REPLICAS_STALE_MS
from cme.core.settings import Settings
from cme.log.protocol import Log, LogFailed, Position
from cme.log.reading import batches_behind
from cme.log.topics import TOPICS
from cme.policies.standing import Standing, in_effect
from cme.runtime.telemetry import CollectorTelemetry
from cme.sources.protocol import SourceFailed

log = logging.getLogger("tidecast.collector")

ANSWER_SHARE = 0.8
"""Of the deadline a source gets this for its parts to answer; what is left is for reading what they said."""


class Collector:
    """Owner of the topics series, policies, samples, minutes and hours."""

    def __init__(self, log_: Log, clock: Clock, settings: Settings, telemetry: CollectorTelemetry) -> None:
        self._log, self._clock, self._settings, self._telemetry = log_, clock, settings, telemetry
        self._rollups, self._saturation = Rollups(), Saturation()
        self._readers: dict[str, Reader] = {}
        self._standings: Mapping[str, Standing | None] = {}  # as the log has them; None: of an earlier run
        self._wanted: Sequence[Standing] | None = None
        self._unwritten: list[Batch] = []
        self._writing: asyncio.Task[None] | None = None  # of the newest batches taken out of those
        self._told: Position = {}  # up to where `replicas` are read
        self._ticked_ms: int | None = None  # when the newest tick began
        self._late = 0
        self._epoch = 0

    async def start(self, standings: Sequence[Standing]) -> None:
        """Take up the past, open the sources of the policies and write down what is measured. Raises LogFailed."""
        await asyncio.to_thread(self._begin)
        await asyncio.to_thread(self._log.append, await self._adopt(standings))

    def follow(self, standings: Sequence[Standing]) -> None:
        """From the next tick on measure these, of which each key is the first's that is in effect."""
        self._wanted = standings

    def _begin(self) -> None:
        now = self._clock.now_ms()
        self._told = self._log.position_at(["replicas"], now - REPLICAS_STALE_MS)
        since = _whole_since(self._log, now)
        samples = _batches_since(self._log, "samples", since)
        self._rollups.restore(samples, since)
        # Also when the clock was set back since the last run.
        self._epoch = max(now, 1 + max((batch.epoch for batch in samples), default=0))
        self._standings = {b.key: None for b in self._log.newest("policies") if _stands(b)}

    async def tick(self) -> None:
        """Read, sample, roll up, append. A log that refuses keeps nothing back: its batches wait."""
        self._count_skipped()
        if self._wanted is not None:
            self._unwritten += await self._adopt(self._wanted)
            self._wanted = None
        await self._follow_replicas()
        until, now = asyncio.get_running_loop().time() + self._deadline, self._clock.now_ms()
        rows = await asyncio.gather(*(self._rows(r, now, until) for r in self._readers.values()))
        samples = self._samples(now, list(itertools.chain(*rows)))
        self._unwritten += [*samples, *self._rollups.close(now)]
        self._telemetry.late.inc(self._rollups.late - self._late)
        self._late = self._rollups.late
        await self._write()

    async def close(self) -> None:
        """What waits for the log is written, if the log takes it."""
        if self._writing is not None:
            await self._writing
        if self._unwritten:
            batches, self._unwritten = self._unwritten, []
            await self._append(batches)
        await asyncio.gather(*(reader.source.close() for reader in self._readers.values()))

    async def _adopt(self, standings: Sequence[Standing]) -> list[Batch]:
        """Measure what is in effect now; returns what the log must be told: what changed and what is gone."""
        policies, before, now = in_effect(standings), self._readers, self._clock.now_ms()
        self._readers = readers_of(policies, self._settings, before)
        self._saturation.follow(policies)
        for reader in (reader for identity, reader in before.items() if identity not in self._readers):
            await reader.source.close()
            self._telemetry.forget_source(reader.name)
        known, current = self._standings, _by_key(standings)
        self._standings = current
        changed = [standing for key, standing in current.items() if standing != known.get(key)]
        gone = [withdrawal(now, key) for key in sorted(known.keys() - current.keys())]
        return describe(changed, now) + gone

    @property
    def _deadline(self) -> float:
        """Seconds: what is told later is not of the tick's time, nor is a counter that was asked for later."""
        return self._settings.tick / 2000

    async def _rows(self, reader: Reader, now: int, until: float) -> list[Row]:
        """The loads that the source tells `until` then, or why it tells none. Whatever goes wrong stays with this source."""
        start = self._clock.monotonic_ms()
        try:
            async with asyncio.timeout_at(until):
                harvest = await reader.source.read(now, self._deadline * ANSWER_SHARE)
            if asyncio.get_running_loop().time() > until:  # it was we who stood still
                raise TimeoutError
            rows = [
                (key, self._marked(key, sampler.sample(harvest, name, now), now))
                for key, name, sampler in reader.signals
            ]
        except TimeoutError:
            return self._failed(reader, f"{reader.name} did not answer within {self._deadline:g} s")
        except SourceFailed as error:
            return self._failed(reader, str(error))
        except Exception as error:
            log.exception("source %s failed", reader.name)
            return self._failed(reader, f"{reader.name} failed: {type(error).__name__}")
        finally:
            elapsed = (self._clock.monotonic_ms() - start) / 1000
            self._telemetry.source_seconds.labels(reader.name).observe(elapsed)
        self._telemetry.source_success.labels(reader.name).set(1)
        self._telemetry.source_last_success.labels(reader.name).set(now / 1000)
        return rows

    def _marked(self, key: SeriesKey, sampled: Sampled, now: int) -> Sampled:
        if sampled.total is None:
            return sampled
        total = self._saturation.marked(key.id, sampled.total, now)
        return sampled if total is sampled.total else replace(sampled, total=total)

    async def _follow_replicas(self) -> None:
        """What runs, where a policy asks for it. A log that can't be read leaves what is known to grow old."""
        if not self._saturation.asked:
            return
        try:
            chunk = await asyncio.to_thread(self._log.read, ["replicas"], self._told)
        except LogFailed as error:
            log.error("%s; no load is flagged as saturated", error)
            return
        self._told = chunk.position
        for batch in chunk.batches:
            self._saturation.take(batch)

    def _failed(self, reader: Reader, problem: str) -> list[Row]:
        self._telemetry.source_success.labels(reader.name).set(0)
        return [(key, Sampled(None, problem, ())) for key, _, _ in reader.signals]

    def _samples(self, now: int, rows: Sequence[Row]) -> list[Batch]:
        for key, sampled in rows:
            self._account(key, sampled)
        return [samples_batch(now, self._epoch, rows)] if rows else []

    def _account(self, key: SeriesKey, sampled: Sampled) -> None:
        for refusal in sampled.refusals:
            self._telemetry.refused.labels(str(refusal)).inc()
        coverage = sampled.total.coverage if sampled.total else 0.0
        self._telemetry.coverage.labels(str(key.workload), key.signal).set(coverage)
        if sampled.total:
            total = sampled.total
            # As a number: to join flags takes longer than all else that the periods do with a sample.
            self._rollups.add(key.id, total.time_ms, total.value, int(total.flags))

    def _count_skipped(self) -> None:
        """Ticks that were left out because the one before took too long: the newest samples count."""
        begun, before = self._clock.monotonic_ms(), self._ticked_ms
        if before is not None:
            self._telemetry.skipped.inc(max(0, round((begun - before) / self._settings.tick) - 1))
        self._ticked_ms = begun

    async def _write(self) -> None:
        """Begin to write what waits, unless that is still being done, and wait for it as long as the next tick allows."""
        if self._writing is None or self._writing.done():
            batches, self._unwritten = self._unwritten, []
            self._writing = asyncio.create_task(self._append(batches))
        await asyncio.wait([self._writing], timeout=self._settings.tick / 4000)

    async def _append(self, batches: list[Batch]) -> None:
        try:
            await asyncio.to_thread(self._log.append, batches)
        except LogFailed as error:
            self._unwritten = self._kept(batches + self._unwritten)
            log.error("%s; %d batches wait", error, len(self._unwritten))
        except ValueError:
            # A bug of ours, but the log takes all or none: kept, such a batch would hold up all that follow.
            log.exception("%d batches can't be written and are dropped", len(batches))
            self._drop(batches)
        self._telemetry.unwritten.set(len(self._unwritten))

    def _kept(self, waiting: list[Batch]) -> list[Batch]:
        """Of what waits the newest, as far as there is room."""
        room = self._settings.unwritten
        sizes = itertools.accumulate(batch.nbytes for batch in reversed(waiting))
        kept = sum(size <= room for size in sizes)
        self._drop(waiting[: len(waiting) - kept])
        return waiting[len(waiting) - kept :]

    def _drop(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self._telemetry.dropped.labels(batch.topic).inc()


def _stands(batch: Batch) -> bool:
    """Whether a record of `policies` is of one that somebody has written."""
    return any(recorded_text(batch, name) for name in ("document", "problem"))


def _by_key(standings: Sequence[Standing]) -> dict[str, Standing]:
    """Of those that share a key the first that is in effect."""
    chosen: dict[str, Standing] = {}
    for standing in standings:
        if standing.key not in chosen or (standing.policy and not chosen[standing.key].policy):
            chosen[standing.key] = standing
    return chosen


def _whole_since(log_: Log, now_ms: int) -> int:
    """From where on samples must be known to complete the hour that was open: the start of the last written."""
    oldest = now_ms - TOPICS["samples"].keep_ms
    return max((b.time_ms - HOUR_MS for b in _batches_since(log_, "hours", oldest)), default=oldest)


def _batches_since(log_: Log, topic: str, since_ms: int) -> list[Batch]:
    return list(batches_behind(log_, [topic], log_.position_at([topic], since_ms)))
