"""A scenario, understood: everything that is needed to play it."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from adapter.replay.cluster import Site
from adapter.replay.contender import Contender
from adapter.replay.load import Load
from adapter.replay.scenario.expectation import Because, Bound, Total
from adapter.replay.scenario.lines import Line
from cme.core.settings import Settings


@dataclass(frozen=True)
class Expected:
    """Of all syncs from `since_ms` on, before `until_ms`; None: of the newest at `since_ms`."""

    line: Line
    since_ms: int
    until_ms: int | None
    bound: Bound
    unit: str
    because: Because


@dataclass(frozen=True)
class Scenario:
    """`came` is the load as it was, `seen` as it was measured; both begin before `since_ms` as far as is learnt from."""

    contender: Contender
    settings: Settings
    zone: ZoneInfo
    since_ms: int
    until_ms: int
    came: Load
    seen: Load
    rows: Mapping[str, int]
    """Of the loads, by signal."""
    carries: Mapping[str, float]
    learns: bool
    """Whether there are forecasts."""
    site: Site
    cores: float | None
    """Of a pod, if that was told."""
    expectations: tuple[Expected, ...]
    totals: tuple[tuple[Line, Total], ...]
