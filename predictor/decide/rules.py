"""Policies as columns: one row per signal, one per workload, so that a decision is a few array operations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy, Spec
from cme.core.schedules import replica_bounds

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

    def of(self, rows: NDArray[np.intp], per_replica: Doubles) -> "Bounds":
        """The same in the units of signals of the workloads `rows`."""
        floor, ceiling = self.floor[rows] * per_replica, self.ceiling[rows] * per_replica
        return Bounds(floor, ceiling, self.floor_reasons[rows], self.ceiling_reasons[rows])


@dataclass(frozen=True)
class Rules:
    """Columns over signals, and over workloads (`replica_ids`, `specs`)."""

    signal_ids: NDArray[np.uint64]
    workload_of: NDArray[np.intp]  # row of the signal's workload
    per_replica: Doubles
    quantile: Doubles
    lead_ms: Doubles
    window_ms: NDArray[np.int64]
    share: Doubles  # largest decrease per period
    period_ms: NDArray[np.int64]
    hold_ms: Doubles
    replica_ids: NDArray[np.uint64]
    specs: tuple[Spec, ...]

    def bounds(self, now_ms: int, running: Doubles) -> Bounds:
        """What the limits and schedules of each workload allow while so many replicas run (NaN: not known)."""
        found = [
            replica_bounds(spec, now_ms, n) for spec, n in zip(self.specs, running.tolist(), strict=True)
        ]
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
    return Rules(
        signal_ids=np.array([p.series(s).id for _, p, s in signals], dtype=np.uint64),
        workload_of=np.array([row for row, _, _ in signals], dtype=np.intp),
        per_replica=np.array([s.per_replica for _, _, s in signals], dtype=float),
        quantile=np.array([p.spec.forecast.covered for _, p, _ in signals], dtype=float),
        lead_ms=np.array([p.spec.forecast.lead for _, p, _ in signals], dtype=float),
        window_ms=np.array([p.spec.scale_down.window for _, p, _ in signals], dtype=np.int64),
        share=np.array([p.spec.scale_down.share for _, p, _ in signals], dtype=float),
        period_ms=np.array([p.spec.scale_down.period_ms for _, p, _ in signals], dtype=np.int64),
        hold_ms=np.array([p.spec.scale_down.hold for _, p, _ in signals], dtype=float),
        replica_ids=np.array([SeriesKey(p.workload, REPLICAS).id for p in policies], dtype=np.uint64),
        specs=tuple(p.spec for p in policies),
    )
