"""One workload's contenders side by side, and what of it is shown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from adapter.replay.baselines import hindsight
from adapter.replay.cluster import Site
from adapter.replay.contender import Contender
from adapter.replay.outcome import Changes, Demand, Outcome, numbers_at, outcome
from adapter.replay.past import Past
from adapter.replay.simulate import SYNC_MS, Progress, simulate
from cme.core.durations import MINUTE_MS

HINDSIGHT = "hindsight"
MOST_POINTS = 5_000
"""Of a chart."""


@dataclass(frozen=True)
class Result:
    """What one contender would have cost and missed, and how its pods went."""

    family: str
    setting: str
    outcome: Outcome
    ready: Changes
    paid: Changes

    @property
    def name(self) -> str:
        return f"{self.family} {self.setting}".rstrip()


@dataclass(frozen=True)
class Study:
    """Of a workload over a time, the optimum of hindsight last."""

    workload: str
    demand: Demand
    results: tuple[Result, ...]


def study(
    contenders: Sequence[Contender],
    past: Past,
    site: Site,
    since_ms: int,
    until_ms: int,
    progress: Progress = lambda done, total: None,
    sync_ms: int = SYNC_MS,
) -> Study:
    """All contenders over the same time."""
    runs = simulate(contenders, past, site, since_ms, until_ms, progress, sync_ms)
    demand = past.demand.within(since_ms, until_ms)
    found = [
        _result(run.contender.family, run.contender.setting, demand, run.cluster.ready, run.cluster.paid)
        for run in runs
    ]
    best = _result(HINDSIGHT, "", demand, *hindsight(demand, site))
    return Study(str(contenders[0].policy.workload), demand, (*found, best))


def _result(family: str, setting: str, demand: Demand, ready: Changes, paid: Changes) -> Result:
    return Result(family, setting, outcome(demand, ready, paid), ready, paid)


def document(one: Study, price: float) -> dict[str, Any]:
    """As JSON has it: figures, and demand and capacities at the same times. `price` is that of a replica-hour."""
    demand = one.demand
    step_ms = max(MINUTE_MS, -(-int(demand.edges_ms[-1] - demand.edges_ms[0]) // MOST_POINTS))
    times = np.arange(demand.edges_ms[0], demand.edges_ms[-1], step_ms)
    needed = demand.needed[np.searchsorted(demand.edges_ms, times, side="right") - 1]
    return {
        "workload": one.workload,
        "times_s": (times // 1000).tolist(),
        "demand": [round(value, 3) if np.isfinite(value) else None for value in needed.tolist()],
        "contenders": [
            {
                "family": result.family,
                "setting": result.setting,
                "cost": result.outcome.replica_hours * price,
                **asdict(result.outcome),
                "capacity": numbers_at(result.ready, times).astype(int).tolist(),
            }
            for result in one.results
        ],
    }
