"""What a source read, and how parts (pods, targets, partitions) become the load of a workload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag

from cme.core.durations import MINUTE_MS

MIN_COVERAGE = 0.8
"""Below this share of answering parts a sum says nothing about the whole: it is missing, not small."""

REPLICAS_STALE_MS = 3 * MINUTE_MS
"""What runs is written once a minute at least; what is older than this is no longer known."""


class Flag(IntFlag):
    """What a reader of a sample must know besides its value."""

    NONE = 0
    ESTIMATED = 1  # some parts did not answer; the sum was divided by the coverage
    SATURATED = 2  # the workload was saturated: the true load is at least this


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one part. `time_ms` is when it was measured, not when we asked."""

    part: str
    value: float
    time_ms: int
    workload: str = ""  # the workload label's value, where one read serves many workloads


@dataclass(frozen=True, slots=True)
class Harvest:
    """All that one read of a source brought.

    `expected` is how many parts each workload ("" where the source serves one) should have; a part that
    failed is counted there and named in `failures`.
    """

    readings: Sequence[Reading]
    expected: Mapping[str, int] = field(default_factory=dict)
    failures: Sequence[str] = ()
    counters: bool = False  # values only grow and are to be turned into rates
    _by_workload: Mapping[str, Sequence[Reading]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, list[Reading]] = {}
        for reading in self.readings:
            found.setdefault(reading.workload, []).append(reading)
        object.__setattr__(self, "_by_workload", found)

    def of(self, workload: str) -> Sequence[Reading]:
        """Those of one workload ("" where the source serves one)."""
        return self._by_workload.get(workload, ())


@dataclass(frozen=True, slots=True)
class Total:
    """The load of a workload: the sum over its parts, scaled up to full coverage."""

    value: float
    time_ms: int
    coverage: float
    flags: Flag


def total(values: Sequence[tuple[float, int]], expected: int) -> Total | None:
    """Sum (value, time_ms) of the parts that answered; None when too few did.

    The time is the oldest part's, so that an age never looks younger than its oldest ingredient.
    """
    if not values:
        return None
    coverage = min(1.0, len(values) / max(1, expected))
    if coverage < MIN_COVERAGE:
        return None
    flags = Flag.ESTIMATED if coverage < 1 else Flag.NONE
    return Total(sum(v for v, _ in values) / coverage, min(t for _, t in values), coverage, flags)
