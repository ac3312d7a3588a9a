"""Policies as columns: one row per signal, one per workload, so that a decision is a few array operations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy, Schedule, replica_bounds

REPLICAS = "replicas"
"""The name under which a workload's own row stands in the log, beside its signals."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """Columns over signals, and over workloads (`workloads`, `replica_ids`, `schedules`)."""

    signal_ids: NDArray[np.uint64]
    workload_of: NDArray[np.intp]  # row of the signal's workload
    per_replica: Doubles
    quantile: Doubles
    lead_ms: Doubles
    window_ms: NDArray[np.int64]
    share: Doubles  # largest decrease per period
    period_ms: NDArray[np.int64]
    replica_ids: NDArray[np.uint64]
    schedules: tuple[tuple[Schedule, ...], ...]

    def bounds(self, now_ms: int) -> tuple[Doubles, Doubles]:
        """Floor and ceiling of replicas per workload, from its schedules."""
        bounds = [replica_bounds(schedules, now_ms) for schedules in self.schedules]
        both = np.array(bounds, dtype=float).reshape(-1, 2)
        return both[:, 0], both[:, 1]


def compile_rules(policies: Sequence[ScalingPolicy]) -> Rules:
    """The rules of some policies, in their order."""
    signals = [(row, policy, signal) for row, policy in enumerate(policies) for signal in policy.spec.signals]
    return Rules(
        signal_ids=np.array([p.series(s).id for _, p, s in signals], dtype=np.uint64),
        workload_of=np.array([row for row, _, _ in signals], dtype=np.intp),
        per_replica=np.array([s.per_replica for _, _, s in signals], dtype=float),
        quantile=np.array([p.spec.forecast.covered for _, p, _ in signals], dtype=float),
        lead_ms=np.array([p.spec.forecast.lead for _, p, _ in signals], dtype=float),
        window_ms=np.array([p.spec.scale_down.window for _, p, _ in signals], dtype=np.int64),
        share=np.array([p.spec.scale_down.share for _, p, _ in signals], dtype=float),
        period_ms=np.array([p.spec.scale_down.period_ms for _, p, _ in signals], dtype=np.int64),
        replica_ids=np.array([SeriesKey(p.workload, REPLICAS).id for p in policies], dtype=np.uint64),
        schedules=tuple(p.spec.schedules for p in policies),
    )
