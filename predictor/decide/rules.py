"""Policies as columns: one row per signal, one per workload, so that a decision is a few array operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.identity import SeriesKey
from cme.core.overrides import bounds_of
from cme.core.policy import ScalingPolicy, Signal, Spec
from cme.core.policy_fields import AUTO
from cme.core.reasons import FIXED
from cme.core.schedules import Told

REPLICAS = "replicas"
"""The name under which a workload's own row stands in the log, beside its signals."""

Doubles = NDArray[np.float64]
Bits = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """Of replicas per workload, and the reasons of what is raised to the floor or lowered to the ceiling."""

    floor: Doubles
    ceiling: Doubles
    floor_reasons: Bits
    ceiling_reasons: Bits

    @property
    def fixed(self) -> NDArray[np.bool_] | None:
        """Where both are the same by what is asked of the policy for a time, whatever signals call for; None: nowhere."""
        fixed = (self.floor_reasons & FIXED) > 0
        return fixed if fixed.any() else None

    def of(self, rows: NDArray[np.intp], per_replica: Doubles) -> "Bounds":
        """The same in the units of signals of the workloads `rows`."""
        floor, ceiling = self.floor[rows] * per_replica, self.ceiling[rows] * per_replica
        return Bounds(floor, ceiling, self.floor_reasons[rows], self.ceiling_reasons[rows])


@dataclass(frozen=True)
class Running:
    """What the cluster tells of each workload row (`Told`): NaN where it does not."""

    wanted: Doubles
    lead_ms: Doubles
    quota: Doubles


@dataclass(frozen=True)
class Rules:
    """Columns over signals, and over workloads (`replica_ids`, `policies`)."""

    signal_ids: NDArray[np.uint64]
    workload_of: NDArray[np.intp]  # row of the signal's workload
    first_of: NDArray[np.intp]  # by workload its first signal; the others follow
    per_replica: Doubles
    quantile: Doubles
    window_ms: NDArray[np.int64]
    share: Doubles  # largest decrease per period
    period_ms: NDArray[np.int64]
    hold_ms: Doubles
    arrivals_of: NDArray[np.intp]  # row of the signal that tells what arrives in a backlog; -1: it is none
    within_s: Doubles  # in which a backlog is to be emptied, NaN for others
    forced_raw: NDArray[np.bool_]  # no forecast counts
    replica_ids: NDArray[np.uint64]
    policies: tuple[ScalingPolicy, ...]
    learns_lead: NDArray[np.bool_]  # of workloads: lead: auto

    @property
    def backlog(self) -> NDArray[np.bool_]:
        """Which signals are the backlog of a queue."""
        return np.asarray(self.arrivals_of >= 0)

    def bounds(self, now_ms: int, running: Running) -> Bounds:
        """What the policy of each workload allows."""
        columns = (column.tolist() for column in (running.wanted, running.lead_ms, running.quota))
        told = zip(self.policies, map(Told, *columns), strict=True)
        found = [bounds_of(policy, now_ms, one) for policy, one in told]
        low, high, low_reasons, high_reasons = zip(*found, strict=True) if found else ((), (), (), ())
        return Bounds(
            np.array(low, dtype=float),
            np.array(high, dtype=float),
            np.array(low_reasons, dtype=np.int64),
            np.array(high_reasons, dtype=np.int64),
        )


def compile_rules(policies: Sequence[ScalingPolicy]) -> Rules:
    """The rules of some policies, in their order."""
    signals = [(row, policy, signal) for row, policy in enumerate(policies) for signal in policy.spec.signals]
    row_of = {(row, signal.name): number for number, (row, _, signal) in enumerate(signals)}
    return Rules(
        signal_ids=np.array([p.series(s).id for _, p, s in signals], dtype=np.uint64),
        workload_of=np.array([row for row, _, _ in signals], dtype=np.intp),
        first_of=np.array(
            [row_of[row, p.spec.signals[0].name] for row, p in enumerate(policies)], dtype=np.intp
        ),
        per_replica=np.array([s.per_replica for _, _, s in signals], dtype=float),
        quantile=np.array([p.spec.forecast.covered for _, p, _ in signals], dtype=float),
        window_ms=np.array([_window(p.spec, s) for _, p, s in signals], dtype=np.int64),
        share=np.array([p.spec.scale_down.share for _, p, _ in signals], dtype=float),
        period_ms=np.array([p.spec.scale_down.period_ms for _, p, _ in signals], dtype=np.int64),
        hold_ms=np.array([p.spec.scale_down.hold for _, p, _ in signals], dtype=float),
        arrivals_of=np.array([_arrivals_of(row, s, row_of) for row, _, s in signals], dtype=np.intp),
        within_s=np.array([s.drain.within / 1000 if s.drain else np.nan for *_, s in signals], dtype=float),
        forced_raw=np.array([p.metadata.annotations.force_raw for _, p, _ in signals], dtype=bool),
        replica_ids=np.array([SeriesKey(p.workload, REPLICAS).id for p in policies], dtype=np.uint64),
        policies=tuple(policies),
        learns_lead=np.array([p.spec.forecast.lead == AUTO for p in policies], dtype=bool),
    )


def _window(spec: Spec, signal: Signal) -> int:
    """A backlog's need is held until it is emptied: let go as it falls, an e-th part of it would be left by then."""
    return max(spec.scale_down.window, signal.drain.within if signal.drain else 0)


def _arrivals_of(workload: int, signal: Signal, row_of: Mapping[tuple[int, str], int]) -> int:
    return row_of[workload, signal.drain.arrivals] if signal.drain else -1
