"""The collector: each tick reads every source at once under a deadline and appends one batch of samples."""

import asyncio
import itertools
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cme.collector.rollup import Rollups
from cme.collector.sampling import Sampled, Sampler
from cme.core.batch import Batch, series_ids
from cme.core.clock import Clock
from cme.core.durations import HOUR_MS
from cme.core.identity import SeriesKey, stable_id
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings
from cme.log.protocol import Log, LogFailed
from cme.log.topics import TOPICS
from cme.runtime.telemetry import CollectorTelemetry
from cme.sources.protocol import Source, SourceFailed
from cme.sources.registry import check_source

log = logging.getLogger("tidecast.collector")

MAX_UNWRITTEN = 2_000
"""Batches that may wait for the log: at a tick of 5 s nearly three hours. Then the oldest go, counted."""

LONGEST_PROBLEM = 500
"""Characters of a problem that are kept: the text may be a stranger's, and a record has its limits."""

ANSWER_SHARE = 0.8
"""Of the deadline a source gets this for its parts to answer; what is left is for reading what they said."""


@dataclass(slots=True)
class _Reader:
    """One open source and the signals it serves: two signals with the same spec share one read."""

    name: str
    source: Source
    signals: list[tuple[SeriesKey, str, Sampler]]  # series, workload label's value, memory


_Row = tuple[SeriesKey, Sampled]


class Collector:
    """Owner of the topics series, policies, samples, minutes and hours."""

    def __init__(self, log_: Log, clock: Clock, settings: Settings, telemetry: CollectorTelemetry) -> None:
        self._log, self._clock, self._settings, self._telemetry = log_, clock, settings, telemetry
        self._rollups = Rollups()
        self._readers: list[_Reader] = []
        self._unwritten: list[Batch] = []
        self._late = 0
        self._epoch = 0

    async def start(self, policies: Sequence[ScalingPolicy]) -> None:
        """Open the sources of the policies and write down what is measured. Raises InvalidInput, LogFailed."""
        self._readers = open_readers(policies, self._settings)
        await asyncio.to_thread(self._begin, policies)

    def _begin(self, policies: Sequence[ScalingPolicy]) -> None:
        now = self._clock.now_ms()
        since = _whole_since(self._log, now)
        samples = _batches_since(self._log, "samples", since)
        self._rollups.restore(samples, since)
        # Also when the clock was set back since the last run.
        self._epoch = max(now, 1 + max((batch.epoch for batch in samples), default=0))
        self._log.append(describe(policies, now) + self._withdrawn(policies, now))

    async def tick(self) -> None:
        """Read, sample, roll up, append. A log that refuses keeps nothing back: its batches wait."""
        now = self._clock.now_ms()
        deadline = self._settings.tick / 2000
        rows = await asyncio.gather(*(self._rows(r, now, deadline) for r in self._readers))
        samples = self._samples(now, list(itertools.chain(*rows)))
        self._unwritten += [*samples, *self._rollups.close(now)]
        self._telemetry.late.inc(self._rollups.late - self._late)
        self._late = self._rollups.late
        await self._write()

    async def close(self) -> None:
        await asyncio.gather(*(reader.source.close() for reader in self._readers))

    def _withdrawn(self, policies: Sequence[ScalingPolicy], now: int) -> list[Batch]:
        """Tombstones for policies of an earlier run that are gone."""
        present = {_policy_key(p) for p in policies}
        known = {b.key for b in self._log.newest("policies") if b.texts("document")[0]}
        return [_document_batch(now, key, np.zeros(1, np.uint64), "") for key in sorted(known - present)]

    async def _rows(self, reader: _Reader, now: int, deadline: float) -> list[_Row]:
        """The loads that the source tells, or why it tells none. Whatever goes wrong stays with this source."""
        start = self._clock.monotonic_ms()
        try:
            async with asyncio.timeout(deadline):
                harvest = await reader.source.read(now, deadline * ANSWER_SHARE)
            rows = [(key, sampler.sample(harvest, name, now)) for key, name, sampler in reader.signals]
        except TimeoutError:
            return self._failed(reader, f"{reader.name} did not answer within {deadline:g} s")
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

    def _failed(self, reader: _Reader, problem: str) -> list[_Row]:
        self._telemetry.source_success.labels(reader.name).set(0)
        return [(key, Sampled(None, problem, ())) for key, _, _ in reader.signals]

    def _samples(self, now: int, rows: Sequence[_Row]) -> list[Batch]:
        for key, sampled in rows:
            self._account(key, sampled)
        return [_samples_batch(now, self._epoch, rows)] if rows else []

    def _account(self, key: SeriesKey, sampled: Sampled) -> None:
        for refusal in sampled.refusals:
            self._telemetry.refused.labels(str(refusal)).inc()
        coverage = sampled.total.coverage if sampled.total else 0.0
        self._telemetry.coverage.labels(str(key.workload), key.signal).set(coverage)
        if sampled.total:
            self._rollups.add(key.id, sampled.total.time_ms, sampled.total.value)

    async def _write(self) -> None:
        try:
            await asyncio.to_thread(self._log.append, self._unwritten)
            self._unwritten = []
        except LogFailed as error:
            log.error("%s; %d batches wait", error, len(self._unwritten))
            self._telemetry.dropped.inc(max(0, len(self._unwritten) - MAX_UNWRITTEN))
            self._unwritten = self._unwritten[-MAX_UNWRITTEN:]
        except ValueError:
            # A bug of ours, but the log takes all or none: kept, such a batch would hold up all that follow.
            log.exception("%d batches can't be written and are dropped", len(self._unwritten))
            self._telemetry.dropped.inc(len(self._unwritten))
            self._unwritten = []
        self._telemetry.unwritten.set(len(self._unwritten))


def open_readers(policies: Sequence[ScalingPolicy], settings: Settings) -> list[_Reader]:
    """Readers for all signals, one per distinct source."""
    readers: dict[str, _Reader] = {}
    for policy in policies:
        for index, signal in enumerate(policy.spec.signals):
            where = f"policy {_policy_key(policy)}, spec.signals.{index}.source"
            namespace = policy.metadata.namespace
            kind, spec, connection = check_source(signal.source, settings.connections, namespace, where)
            # The namespace, for a connection that one may use can be forbidden to another.
            identity = json.dumps([namespace, signal.source], sort_keys=True)
            if identity not in readers:
                name = _reader_name(namespace, signal.source, identity)
                readers[identity] = _Reader(name, kind.open(spec, connection), [])
            # A window shorter than a tick would make a gap of every reading.
            sampler = Sampler(settings.rate_window, 3 * max(settings.rate_window, settings.tick))
            workload = policy.spec.target_ref.name if getattr(spec, "workload_label", None) else ""
            readers[identity].signals.append((policy.series(signal), workload, sampler))
    return list(readers.values())


def _reader_name(namespace: str, source: dict[str, Any], identity: str) -> str:
    """Short and stable: the kind and what tells it from others of its kind."""
    kind, spec = next(iter(source.items()))
    detail = ",".join(str(v) for v in spec.values()) if isinstance(spec, dict) else str(spec)
    name = f"{namespace}/{kind}:{detail}"
    return name if len(name) <= 120 else f"{name[:100]}... {stable_id(identity):016x}"


def describe(policies: Sequence[ScalingPolicy], now_ms: int) -> list[Batch]:
    """Records that say what the policies are and what each of their series means."""
    batches = []
    for policy in policies:
        document = json.dumps(policy.model_dump(mode="json", by_alias=True), sort_keys=True)
        target = series_ids([SeriesKey(policy.workload, "replicas").id])
        batches.append(_document_batch(now_ms, _policy_key(policy), target, document))
        batches += [_series_batch(now_ms, policy.series(signal)) for signal in policy.spec.signals]
    return batches


def _policy_key(policy: ScalingPolicy) -> str:
    return f"{policy.metadata.namespace}/{policy.metadata.name}"


def _document_batch(now_ms: int, key: str, series: np.ndarray[Any, np.dtype[np.uint64]], text: str) -> Batch:
    return Batch("policies", now_ms, series, {"document": (text,)}, key=key)


def _series_batch(now_ms: int, key: SeriesKey) -> Batch:
    workload = key.workload
    texts = {
        "namespace": workload.namespace,
        "group": workload.group,
        "kind": workload.kind,
        "name": workload.name,
        "signal": key.signal,
        "unit": key.unit,
    }
    columns = {name: (text,) for name, text in texts.items()}
    return Batch("series", now_ms, series_ids([key.id]), columns, key=f"{key.id:016x}")


def _samples_batch(now_ms: int, epoch: int, rows: Sequence[_Row]) -> Batch:
    totals = [sampled.total for _, sampled in rows]
    return Batch(
        "samples",
        now_ms,
        series_ids([key.id for key, _ in rows]),
        {
            "value": np.array([t.value if t else np.nan for t in totals]),
            "measured_ms": np.array([t.time_ms if t else now_ms for t in totals], dtype=np.int64),
            "coverage": np.array([t.coverage if t else 0 for t in totals], dtype=np.float32),
            "flags": np.array([t.flags if t else 0 for t in totals], dtype=np.uint8),
            "problem": tuple(_storable(sampled.problem) for _, sampled in rows),
        },
        epoch=epoch,
    )


def _storable(text: str) -> str:
    """A text that a record can hold: half a character (JSON's \\ud800) can't be written as UTF-8."""
    return text[:LONGEST_PROBLEM].encode(errors="replace").decode()


def _whole_since(log_: Log, now_ms: int) -> int:
    """From where on samples must be known to complete the hour that was open: the start of the last written."""
    oldest = now_ms - TOPICS["samples"].keep_ms
    return max((b.time_ms - HOUR_MS for b in _batches_since(log_, "hours", oldest)), default=oldest)


def _batches_since(log_: Log, topic: str, since_ms: int) -> list[Batch]:
    position = log_.position_at([topic], since_ms)
    found: list[Batch] = []
    while (chunk := log_.read([topic], position, 1000)).batches:
        found += chunk.batches
        position = chunk.position
    return found
