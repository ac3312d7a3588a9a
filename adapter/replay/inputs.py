"""Where a past comes from: traces, our log, a Prometheus server."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adapter.backtest.history import Values, fetch
from adapter.replay.load import Load
from cme.core.durations import DAY_MS, MINUTE_MS, SECOND_MS
from cme.core.errors import InvalidInput
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.core.progress import Progress
from cme.core.replica_record import recorded_lead_ms, recorded_startup, replica_key
from cme.core.settings import Settings
from cme.log.protocol import Log
from cme.log.reading import batches_behind
from predictor.backtest.reading import read
from predictor.decide.rules import REPLICAS


@dataclass(frozen=True)
class Given:
    """A load with the row of each signal in it, and what a connected cluster has taught; NaN: nothing."""

    load: Load
    rows: Mapping[str, int]
    lead_ms: float = math.nan
    startup_p90_ms: float = math.nan
    drains: Mapping[str, float] = field(default_factory=dict)
    """By backlog, what one replica gets through of it, in items/s."""


def of_traces(policy: ScalingPolicy, files: Mapping[str, Path]) -> Given:
    """A trace of each signal, as `tidecast backtest` reads them. Raises InvalidInput."""
    names = [signal.name for signal in policy.spec.rates]
    for name in names:
        if name not in files:
            raise InvalidInput(
                f"signal {name} of {policy.key} has no trace", "--trace", f"add --trace {name}=FILE.csv.gz"
            )
    for name in files:
        if name not in names:
            raise InvalidInput(f"{policy.key} has no signal {name}", "--trace", f"it has {', '.join(names)}")
    traces = {name: read(path) for name, path in files.items()}
    loads = [
        Load(int(t.times[0]) * SECOND_MS, t.step_s * SECOND_MS, t.values[None])
        for t in map(traces.get, names)
        if t
    ]
    return Given(aligned(loads), {name: row for row, name in enumerate(names)})


def aligned(loads: list[Load]) -> Load:
    """One load of several, on whole minutes where it begins and in steps that divide theirs, over the time that all have."""
    step = math.gcd(*(load.step_ms for load in loads))
    starts = [load.start_ms // MINUTE_MS * MINUTE_MS for load in loads]
    first = max(starts)
    last = min(s + load.step_ms * load.values.shape[1] for s, load in zip(starts, loads, strict=True))
    if last <= first:
        raise InvalidInput(
            "the signals' traces have no time in common", "--trace", "give traces of the same days"
        )
    times = np.arange(first, last, step)
    rows = [load.values[0, (times - s) // load.step_ms] for s, load in zip(starts, loads, strict=True)]
    return Load(first, step, np.stack(rows))


def of_log(policy: ScalingPolicy, log: Log, days: int, now_ms: int) -> Given:
    """The minutes of the newest days, and what is learnt of starts and drains. Raises InvalidInput, LogFailed."""
    until = now_ms // MINUTE_MS * MINUTE_MS
    since = until - days * DAY_MS
    names = [signal.name for signal in policy.spec.rates]
    row_of = {policy.series(signal).id: row for row, signal in enumerate(policy.spec.rates)}
    mean = np.full((len(names), (until - since) // MINUTE_MS), np.nan)
    largest = mean.copy()
    for batch in batches_behind(log, ["minutes"], log.position_at(["minutes"], since)):
        place = (batch.time_ms - since) // MINUTE_MS - 1
        if 0 <= place < mean.shape[1]:
            for at, series in enumerate(batch.series.tolist()):
                if (row := row_of.get(series)) is not None:
                    mean[row, place] = batch.numbers("mean")[at]
                    largest[row, place] = batch.numbers("max")[at]
    known = np.flatnonzero(np.isfinite(mean).any(axis=0))
    if not len(known):
        raise InvalidInput(
            f"the log has no minute of {policy.workload} in the last {days} days",
            "--data",
            "let `tidecast up` run, or give a trace or a Prometheus",
        )
    first = int(known[0])
    load = Load(since + first * MINUTE_MS, MINUTE_MS, mean[:, first:], largest[:, first:])
    return Given(
        load,
        {name: row for row, name in enumerate(names)},
        *_starts(policy, log),
        _drains(policy, log, now_ms),
    )


def _starts(policy: ScalingPolicy, log: Log) -> tuple[float, float]:
    """The lead and the 90th percentile of starts that were learnt last."""
    for batch in log.newest("replicas", replica_key(SeriesKey(policy.workload, REPLICAS).id)):
        startup = recorded_startup(batch)
        return recorded_lead_ms(batch), startup.duration_ms if startup else math.nan
    return math.nan, math.nan


def _drains(policy: ScalingPolicy, log: Log, now_ms: int) -> dict[str, float]:
    """Those that the newest decision of the last day knows."""
    backlogs = {policy.series(signal).id: signal.name for signal in policy.spec.signals if signal.drain}
    found: dict[str, float] = {}
    if not backlogs:
        return found
    for batch in batches_behind(log, ["decisions"], log.position_at(["decisions"], now_ms - DAY_MS)):
        for series, drain in zip(batch.series.tolist(), batch.numbers("drain").tolist(), strict=True):
            if series in backlogs and drain == drain:
                found[backlogs[series]] = drain
    return found


async def of_prometheus(
    policy: ScalingPolicy, settings: Settings, days: int, now_ms: int, progress: Progress
) -> Given:
    """Each signal's own query over the last days, from the connection that it names. Raises InvalidInput, SourceFailed."""
    loads = []
    for signal in policy.spec.rates:
        source = signal.source.get("prometheus")
        if not isinstance(source, dict):
            raise InvalidInput(
                f"signal {signal.name} of {policy.key} is not read from a Prometheus",
                "--prometheus",
                f"give a trace of it: --trace {signal.name}=FILE.csv.gz",
            )
        connection = settings.connections.get(str(source["connection"]))
        if connection is None:
            raise InvalidInput(
                f"there is no connection {source['connection']!r}", policy.key, "add it to the settings"
            )
        found = await fetch(connection, str(source["query"]), days, now_ms, progress)
        if len(found) != 1:
            raise InvalidInput(
                f"the query of signal {signal.name} returned {len(found)} series",
                policy.key,
                "wrap it in sum()",
            )
        loads.append(_load(next(iter(found.values()))))
    return Given(aligned(loads), {signal.name: row for row, signal in enumerate(policy.spec.rates)})


def _load(values: Values) -> Load:
    """By minutes; what is missing is not known."""
    first, last = min(values), max(values)
    step_s = MINUTE_MS // SECOND_MS
    numbers = [float(values.get(at, "nan")) for at in range(first, last + 1, step_s)]
    load = np.array([number if 0 <= number < math.inf else math.nan for number in numbers])
    return Load((first - step_s) * SECOND_MS, MINUTE_MS, load[None])
