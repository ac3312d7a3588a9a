"""What is known of a workload's past."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from adapter.replay.forecasts import Forecasts
from adapter.replay.load import Doubles, Load, Times
from adapter.replay.outcome import Demand
from cme.core.settings import Settings


@dataclass(frozen=True)
class Past:
    """`rows` are those of the load's signals, `carries` what one replica gets through of each, in the signal's unit.

    A queue's backlog is in neither: it depends on what ran. What arrives is, and drains at the rate that `carries` says.
    """

    load: Load
    rows: Mapping[str, int]
    carries: Mapping[str, float]
    forecasts: Mapping[str, Forecasts]
    learnt_lead_ms: float = float("nan")
    """What `lead: auto` has learnt."""
    settings: Settings = field(default_factory=Settings)

    def measured(self, times_ms: Times) -> Doubles:
        """[signal, time]: the mean over the rate window, which is what a source tells of a rate."""
        return self.load.mean(times_ms, self.settings.rate_window)

    @cached_property
    def demand(self) -> Demand:
        """Replicas that carry all signals together."""
        each = [self.load.values[row] / self.carries[name] for name, row in self.rows.items()]
        return Demand(self.load.edges_ms, np.asarray(np.max(each, axis=0)))
