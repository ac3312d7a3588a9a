"""What the chain looks at: the newest sample, forecast and replicas of everything, by series id."""

import logging
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.policy_record import recorded_policy
from cme.core.readings import REPLICAS_STALE_MS
from cme.core.replica_record import recorded_lead_ms, recorded_quota
from predictor.chosen import Chosen, chosen, nothing
from predictor.decide.measured import Measured
from predictor.decide.rules import Doubles, Rules, Running
from predictor.engine import Forecast
from predictor.grid import MAX, L, Q

log = logging.getLogger("tidecast.predictor")


@dataclass(slots=True)
class _Sample:
    value: float
    measured_ms: int
    flags: int
    epoch: int


def _supersedes(measured_ms: int, batch: Batch, known: _Sample) -> bool:
    if (measured_ms, batch.epoch) >= (known.measured_ms, known.epoch):
        return True
    # No sample is measured after it is written: the clock was set back since, or this is an old duplicate.
    return known.measured_ms > batch.time_ms + MINUTE_MS


class Samples(NamedTuple):
    """Per signal row."""

    values: Doubles  # NaN where there is none
    measured_ms: NDArray[np.int64]
    flags: NDArray[np.uint8]
    rows: NDArray[np.intp]  # among the newest forecast's, -1 for none


@dataclass
class Picture:
    """Built from the log alone, so that a replay sees the same."""

    policies: dict[str, ScalingPolicy] = field(default_factory=dict)
    _samples: dict[int, _Sample] = field(default_factory=dict)
    _running: dict[int, tuple[float, int]] = field(default_factory=dict)  # replicas wanted, when told
    _leads: dict[int, float] = field(default_factory=dict)  # learnt, by workload
    _quotas: dict[int, float] = field(
        default_factory=dict
    )  # replicas that the namespace's holds, by workload
    _rows: dict[int, int] = field(default_factory=dict)  # of the forecast
    _forecast: Forecast | None = None
    _forecast_ms: int = 0

    def take_policy(self, batch: Batch) -> None:
        """A record of `policies`; one that this version can't read withdraws the policy and says so."""
        self.policies.pop(batch.key, None)
        try:
            policy = recorded_policy(batch)
        except InvalidInput as error:
            log.error("the log's policy %s is left out: %s", batch.key, error)
            return
        if policy is not None:
            self.policies[batch.key] = policy

    def take_samples(self, batch: Batch) -> None:
        """The newest measurement stands; of two of one time the one of the higher epoch. NaN changes nothing."""
        columns = (batch.numbers(name).tolist() for name in ("value", "measured_ms", "flags"))
        for series, value, measured_ms, flags in zip(batch.series.tolist(), *columns, strict=True):
            known = self._samples.get(series)
            if np.isfinite(value) and (known is None or _supersedes(measured_ms, batch, known)):
                self._samples[series] = _Sample(value, measured_ms, flags, batch.epoch)

    def take_replicas(self, batch: Batch) -> None:
        (series,), (wanted,) = batch.series.tolist(), batch.numbers("wanted").tolist()
        self._running[series] = wanted, batch.time_ms
        self._leads[series], self._quotas[series] = recorded_lead_ms(batch), recorded_quota(batch)

    def take_forecast(self, ids: NDArray[np.uint64], forecast: Forecast, now_ms: int) -> None:
        self._rows = {int(series): row for row, series in enumerate(ids)}
        self._forecast, self._forecast_ms = forecast, now_ms

    def running(self, rules: Rules, now_ms: int) -> Running:
        """NaN replicas where the cluster has not told for too long; what was learnt of starts stands."""
        told = [self._running.get(int(i), (np.nan, now_ms)) for i in rules.replica_ids]
        wanted = [n if now_ms - at <= REPLICAS_STALE_MS else np.nan for n, at in told]
        learnt = [self._leads.get(int(i), np.nan) for i in rules.replica_ids]
        quota = [self._quotas.get(int(i), np.nan) for i in rules.replica_ids]
        return Running(*(np.array(column, dtype=float) for column in (wanted, learnt, quota)))

    def samples(self, rules: Rules) -> Samples:
        """The newest of all signal rows."""
        samples = [self._samples.get(int(i)) for i in rules.signal_ids]
        return Samples(
            np.array([s.value if s else np.nan for s in samples], dtype=float),
            np.array([s.measured_ms if s else 0 for s in samples], dtype=np.int64),
            np.array([s.flags if s else 0 for s in samples], dtype=np.uint8),
            np.array([self._rows.get(int(i), -1) for i in rules.signal_ids], dtype=np.intp),
        )

    def expected(self, samples: Samples) -> Doubles:
        """[L, Q, signal row]: the largest loads of the newest forecast, NaN where there is none."""
        rows = samples.rows
        if self._forecast is None:
            return np.full((L, Q, len(rows)), np.nan)
        return np.where(rows >= 0, self._forecast.values[MAX][:, :, rows], np.nan)

    def measured(self, rules: Rules, samples: Samples, soon: Doubles, drain: Doubles) -> Measured:
        """The chain's view of all signal rows, with what the nowcast says of them, [Q, signal row], and what one replica gets
        through of those that are backlogs."""
        rows, raw = samples.rows, samples.values
        lead_ms, unlearnt = self._leads_of(rules)
        forecast = self._chosen(rows, raw, soon, lead_ms, rules.quantile)
        return Measured(
            raw=raw,
            raw_ms=samples.measured_ms,
            flags=samples.flags,
            lead_ms=lead_ms,
            lead_unlearnt=unlearnt,
            predicted=forecast.values,
            soon=forecast.soon,
            predicted_ms=np.full(len(raw), self._forecast_ms, dtype=np.int64),
            uncalibrated=forecast.uncalibrated,
            capped=forecast.capped,
            causes=forecast.causes,
            again=self._again(rows, raw, soon, rules),
            drain=drain,
        )

    def _leads_of(self, rules: Rules) -> tuple[Doubles, NDArray[np.bool_]]:
        """Of each signal how far ahead is looked, and whether that is the default for want of what was to be learnt."""
        learnt = [self._leads.get(int(i), np.nan) for i in rules.replica_ids]
        leads = [p.spec.forecast.lead_ms(one) for p, one in zip(rules.policies, learnt, strict=True)]
        unlearnt = rules.learns_lead & np.isnan(np.array(learnt, dtype=float))
        return np.array(leads, dtype=float)[rules.workload_of], unlearnt[rules.workload_of]

    def _again(self, rows: NDArray[np.intp], raw: Doubles, soon: Doubles, rules: Rules) -> Doubles:
        """The same of the policies' hold time; NaN without one, and where that forecast is not trusted."""
        asked = np.flatnonzero(rules.hold_ms)
        found = self._chosen(
            rows[asked], raw[asked], soon[:, asked], rules.hold_ms[asked], rules.quantile[asked]
        )
        again = np.full(len(rows), np.nan)
        again[asked] = found.trusted
        return again

    def _chosen(
        self, rows: NDArray[np.intp], raw: Doubles, soon: Doubles, lead_ms: Doubles, quantile: Doubles
    ) -> Chosen:
        if self._forecast is None or not len(rows):
            return nothing(len(rows))
        return chosen(self._forecast, rows, raw, soon, lead_ms, quantile)
