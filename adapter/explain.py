"""What was decided for a workload at a moment of the past, and why, read back from the log."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from adapter.past import Names
from adapter.pods import PodList
from cme.core.batch import Batch
from cme.core.durations import DAY_MS, MINUTE_MS, format_duration
from cme.core.errors import InvalidInput
from cme.core.identity import SeriesKey, Workload
from cme.core.readings import REPLICAS_STALE_MS
from cme.core.reasons import FIXED
from cme.core.replica_record import Startup, recorded_startup, replica_key
from cme.log.protocol import Log
from cme.log.reading import batches_behind
from cme.log.topics import TOPICS

FEW = 20
"""Records read at once: each is of all workloads, and those of a few minutes are wanted."""


@dataclass(frozen=True)
class Decision:
    """A row of the log's decisions, in the signal's unit, or in replicas for the workload's own row.

    Values are NaN where there was nothing, of the workload's row all but `value`, `floor` and `ceiling` (infinite where
    there was none), of signals these two.
    `lead_ms` is how far ahead was looked, `came` the largest load of the minutes of that time as measured since, NaN while
    it lasts; `drain` is what one replica was known to get through of a backlog, per second.
    Ages are milliseconds before the moment that was asked for, None of what there was not; the workload's
    `measured_age_ms` is that of its oldest signal. `problem` says why `value` was no answer, None where it was one.
    """

    value: float
    problem: str | None
    reasons: int
    age_ms: int
    raw: float
    measured_age_ms: int | None
    predicted: float
    predicted_age_ms: int | None
    need: float
    slowed: float
    lead_ms: float
    drain: float
    floor: float
    ceiling: float
    came: float = math.nan


@dataclass(frozen=True)
class Running:
    """Replicas that the workload was to have, and pods that took load, as the cluster told it; None where no start of a
    replica had been seen."""

    wanted: int
    ready: int
    age_ms: int
    startup: Startup | None


@dataclass(frozen=True)
class Explanation:
    """`replicas` is None, with the `problem` told, and `signals` lacks those, of which there was no decision young enough
    to be served."""

    workload: Workload
    at_ms: int
    problem: str | None
    replicas: Decision | None
    running: Running | None
    signals: Mapping[str, Decision]


class Explainer:
    """`limit_ms` is the setting up to which age a decision, and what it rests on, is served. One call at a time."""

    def __init__(self, log: Log, limit_ms: int) -> None:
        self.log, self.limit_ms = log, limit_ms
        self._names = Names(log)

    def explain(self, name: str, at_ms: int, now_ms: int) -> Explanation:
        """Of a workload by a name that `Names.workload` knows. Raises InvalidInput when it or the time is not in the
        log, LogFailed."""
        _refuse(at_ms, now_ms)
        workload, signals = self._names.workload(name)
        replicas = SeriesKey(workload, "replicas").id
        found = self._decisions({replicas, *signals.values()}, at_ms)
        its = {
            signal: replace(found[series], came=self._came(series, found[series], at_ms, now_ms))
            for signal, series in sorted(signals.items())
            if series in found
        }
        problem = None if replicas in found else self._unknown(at_ms)
        return Explanation(workload, at_ms, problem, found.get(replicas), self._running(replicas, at_ms), its)

    def _unknown(self, at_ms: int) -> str:
        """Why there is no decision."""
        first = self.log.read(["decisions"], {}, 1).batches
        if first and at_ms < first[0].time_ms:
            return f"no decision is known: the log's first is of {format_time(first[0].time_ms)}"
        limit = format_duration(self.limit_ms)
        return f"no decision was served: the log has none of the {limit} before; was the predictor running?"

    def _came(self, series: int, decision: Decision, at_ms: int, now_ms: int) -> float:
        """The largest load within the lead of what was predicted; a minute is in the log a little after its end."""
        if decision.predicted_age_ms is None or math.isnan(decision.lead_ms):
            return math.nan
        lead_ms = round(decision.lead_ms)
        end_ms = at_ms - decision.predicted_age_ms + lead_ms
        if now_ms < end_ms + MINUTE_MS:
            return math.nan
        told = [
            float(batch.numbers("max")[row])
            for batch in self._until("minutes", end_ms, lead_ms - 1)  # by their ends
            for row in np.flatnonzero(batch.series == series)
        ]
        return max((value for value in told if math.isfinite(value)), default=math.nan)

    def _decisions(self, wanted: set[int], at_ms: int) -> dict[int, Decision]:
        """By series the newest."""
        found: dict[int, Decision] = {}
        for batch in self._until("decisions", at_ms, self.limit_ms):
            for row, series in enumerate(batch.series.tolist()):
                if series in wanted:
                    found[series] = _decision(batch, row, at_ms, self.limit_ms)
        return found

    def _running(self, series: int, at_ms: int) -> Running | None:
        newest = self.log.newest_at("replicas", replica_key(series), at_ms)
        if newest is None or at_ms - newest.time_ms > REPLICAS_STALE_MS:
            return None
        ready = len(PodList.of(newest, 0).names)
        wanted = int(newest.numbers("wanted")[0])
        return Running(wanted, ready, at_ms - newest.time_ms, recorded_startup(newest))

    def _until(self, topic: str, at_ms: int, span_ms: int) -> Iterator[Batch]:
        """What was written within a span before a moment."""
        position = self.log.position_at([topic], at_ms - span_ms)
        batches = batches_behind(self.log, [topic], position, FEW)
        until = itertools.takewhile(lambda batch: batch.time_ms <= at_ms, batches)
        # A clock that was set back leaves older times behind the position.
        return (batch for batch in until if batch.time_ms >= at_ms - span_ms)


def parse_time(text: str, where: str) -> int:
    """Milliseconds of an ISO 8601 time, UTC unless it says otherwise. Raises InvalidInput."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a time", where, "write it like 2026-11-28T19:00:00Z") from None
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def format_time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _refuse(at_ms: int, now_ms: int) -> None:
    kept = TOPICS["decisions"].keep_ms
    if at_ms > now_ms:
        raise InvalidInput("it is still to come", "time", "ask for one that has passed")
    if at_ms < now_ms - kept:
        raise InvalidInput(
            f"the log keeps decisions for {kept // DAY_MS} days", "time", "ask for a later one"
        )


def _decision(batch: Batch, row: int, at_ms: int, limit_ms: int) -> Decision:
    def of(name: str) -> Any:
        return batch.numbers(name)[row].item()

    value, raw, predicted = of("value"), of("raw"), of("predicted")
    # The workload's row has the time of its oldest signal, and no measured value.
    fixed = of("reasons") & FIXED > 0  # rests on no measurement
    measured = math.isfinite(raw) or (math.isfinite(value) and not fixed)
    return Decision(
        value=value,
        problem=_problem(value, fixed or at_ms - of("raw_ms") <= limit_ms, limit_ms),
        reasons=of("reasons"),
        age_ms=at_ms - batch.time_ms,
        raw=raw,
        measured_age_ms=at_ms - of("raw_ms") if measured else None,
        predicted=predicted,
        predicted_age_ms=at_ms - of("predicted_ms") if math.isfinite(predicted) else None,
        need=of("need"),
        slowed=of("slowed"),
        lead_ms=of("lead_ms") if "lead_ms" in batch.columns else math.nan,  # older versions had none
        drain=of("drain") if "drain" in batch.columns else math.nan,
        floor=of("floor"),
        ceiling=of("ceiling") if "ceiling" in batch.columns else math.nan,
    )


def _problem(value: float, fresh: bool, limit_ms: int) -> str | None:
    if not math.isfinite(value):
        return "nothing was served"
    if not fresh:
        return f"nothing was served: what {value:.6g} rests on was older than {format_duration(limit_ms)}"
    return None
