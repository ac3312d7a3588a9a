"""The picture of the log that every answer comes from."""

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapter.catalog import Catalog
from adapter.history import History
from adapter.pods import PodList
from adapter.table import Rows, Table
from cme.core.batch import Batch
from cme.core.clock import Clock
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.policy_record import recorded_policy, recorded_text
from cme.core.readings import REPLICAS_STALE_MS
from cme.core.reasons import FIXED
from cme.core.replica_record import recorded_resource

log = logging.getLogger("tidecast.adapter")

MINUTES_KEPT = 6 * 60
HOURS_KEPT = 28 * 24
_UNBORN = -(10**15)
"""The monotonic moment of what never was: older than any limit."""

_DECIDED = ("value", "reasons", "need", "slowed", "raw", "raw_ms", "predicted", "predicted_ms")


@dataclass
class View:
    """Tables of the newest, rings of the past. Columns `*_born` are monotonic milliseconds: an age that they
    give never jumps with the wall clock."""

    clock: Clock
    samples: Table = field(
        default_factory=lambda: Table(
            {
                "value": ("float64", np.nan),
                "measured_ms": ("int64", 0),
                "epoch": ("int64", 0),
                "born": ("int64", _UNBORN),
                "coverage": ("float32", 0),
                "problem": ("object", ""),
            }
        )
    )
    decisions: Table = field(
        default_factory=lambda: Table(
            dict.fromkeys(("value", "need", "slowed", "raw", "predicted"), ("float64", np.nan))
            | dict.fromkeys(("raw_ms", "predicted_ms", "reasons"), ("int64", 0))
            | dict.fromkeys(("born", "raw_born", "predicted_born"), ("int64", _UNBORN))
        )
    )
    forecasts: dict[str, Batch] = field(default_factory=dict)
    trust: dict[str, Batch] = field(default_factory=dict)
    minutes: History = field(default_factory=lambda: History(MINUTE_MS, MINUTES_KEPT, ("mean", "max")))
    hours: History = field(default_factory=lambda: History(HOUR_MS, HOURS_KEPT, ("mean", "max")))
    served: History = field(default_factory=lambda: History(MINUTE_MS, MINUTES_KEPT, ("value",)))
    pods: dict[int, PodList] = field(default_factory=dict)
    parts: dict[int, str] = field(default_factory=dict)
    """By series its decomposition as JSON, "" where there is too little to tell."""
    catalog: Catalog = field(default_factory=Catalog)
    refused: dict[str, str] = field(default_factory=dict)
    """By policy why it is not in effect as it is written now."""
    ready: bool = False
    """Whether the log has been read to its end once."""
    _policies: dict[str, ScalingPolicy] = field(default_factory=dict)
    _plurals: dict[int, str] = field(default_factory=dict)  # of the workloads' kinds
    _catalog_due: bool = False

    def take(self, batches: list[Batch]) -> None:
        """Take in records of any topic, in their order."""
        for batch in batches:
            self._take(batch)
        if self._catalog_due:
            self.catalog, self._catalog_due = Catalog(self._policies.values(), self._plurals), False

    def positions_since(self, now_ms: int) -> dict[str, int]:
        """From when on each timed topic is read at the start; the other topics are read whole."""
        return {
            "samples": now_ms - 5 * MINUTE_MS,
            "replicas": now_ms - REPLICAS_STALE_MS,
            "decisions": now_ms - HOUR_MS,
            "minutes": now_ms - MINUTES_KEPT * MINUTE_MS,
            "hours": now_ms - HOURS_KEPT // 24 * DAY_MS,
        }

    def _take(self, batch: Batch) -> None:
        match batch.topic:
            case "samples":
                self._take_samples(batch)
            case "decisions":
                self._take_decisions(batch)
            case "minutes" | "hours":
                past = self.minutes if batch.topic == "minutes" else self.hours
                past.put(batch.time_ms, batch.series, {name: batch.numbers(name) for name in ("mean", "max")})
            case "forecasts":
                self.forecasts[batch.key] = batch
            case "trust":
                self.trust[batch.key] = batch
            case "replicas":
                self._take_replicas(batch)
            case "policies":
                self._take_policy(batch)
                self._catalog_due = True
            case "decompositions":
                self.parts.update(zip(batch.series.tolist(), batch.texts("parts"), strict=True))

    def _take_replicas(self, batch: Batch) -> None:
        born = int(self._born(np.array([batch.time_ms]))[0])
        series, plural = int(batch.series[0]), recorded_resource(batch)
        self.pods[series], self._plurals[series] = PodList.of(batch, born), plural
        self._catalog_due |= self.catalog.goes_by_another(series, plural)

    def _take_samples(self, batch: Batch) -> None:
        """A row without a value leaves the last one, which then grows old, and says what the problem is."""
        rows, table = self.samples.rows(batch.series), self.samples
        value, measured = batch.numbers("value"), batch.numbers("measured_ms")
        newer = np.isfinite(value) & self._supersedes(rows, measured, batch)
        at = rows[newer]
        table["value"][at], table["measured_ms"][at] = value[newer], measured[newer]
        table["epoch"][at] = batch.epoch
        table["born"][at] = self._born(measured[newer])
        table["coverage"][rows] = batch.numbers("coverage")
        problems = np.empty(len(rows), dtype=object)
        problems[:] = batch.texts("problem")
        table["problem"][rows] = problems

    def _supersedes(self, rows: Rows, measured: NDArray[np.int64], batch: Batch) -> NDArray[np.bool_]:
        """The newest measurement stands; of two of one time the one of the higher epoch."""
        known, epoch = self.samples["measured_ms"][rows], self.samples["epoch"][rows]
        newest = (measured > known) | ((measured == known) & (batch.epoch >= epoch))
        # No sample is measured after it is written: the clock was set back since, or this is an old duplicate.
        return np.asarray(newest | (known > batch.time_ms + MINUTE_MS))

    def _take_decisions(self, batch: Batch) -> None:
        rows, table = self.decisions.rows(batch.series), self.decisions
        # What rests on no measurement is as old as its decision.
        fixed = (batch.numbers("reasons") & FIXED) > 0
        raw_ms = np.where(fixed, batch.time_ms, batch.numbers("raw_ms"))
        table["born"][rows] = self._born(np.full(len(rows), batch.time_ms))
        table["raw_born"][rows] = self._born_before(rows, "raw", raw_ms)
        table["predicted_born"][rows] = self._born_before(rows, "predicted", batch.numbers("predicted_ms"))
        for name in _DECIDED:
            table[name][rows] = batch.numbers(name)
        table["raw_ms"][rows] = raw_ms
        end = -(-batch.time_ms // MINUTE_MS) * MINUTE_MS
        self.served.put(end, batch.series, {"value": batch.numbers("value")})

    def _born(self, times_ms: NDArray[Any]) -> NDArray[np.int64]:
        ages = np.maximum(0, self.clock.now_ms() - times_ms.astype(np.int64))
        return np.asarray(self.clock.monotonic_ms() - ages)

    def _born_before(self, rows: Rows, name: str, times_ms: NDArray[Any]) -> NDArray[np.int64]:
        """Of what the decision before rested on, too, no later than that said: after a clock was set back a little each
        decision would make it young again."""
        born = self._born(times_ms)
        same = times_ms == self.decisions[f"{name}_ms"][rows]
        return np.where(same, np.minimum(born, self.decisions[f"{name}_born"][rows]), born)

    def _take_policy(self, batch: Batch) -> None:
        """A record of `policies`; one that this version can't read withdraws the policy and says so."""
        self._policies.pop(batch.key, None)
        self.refused.pop(batch.key, None)
        try:
            policy = recorded_policy(batch)
        except InvalidInput as error:
            log.error("the log's policy %s is left out: %s", batch.key, error)
            self.refused[batch.key] = str(error)
            return
        if policy is not None:
            self._policies[batch.key] = policy
        if problem := recorded_text(batch, "problem"):
            self.refused[batch.key] = problem
