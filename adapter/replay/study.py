"""One workload's contenders side by side, and what of it is shown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from adapter.replay.baselines import hindsight
from adapter.replay.chart import Background, background, largest, missing, times_of
from adapter.replay.cluster import Site
from adapter.replay.contender import Contender
from adapter.replay.load import Doubles
from adapter.replay.outcome import Changes, Demand, Outcome, numbers_at, outcome
from adapter.replay.past import Past
from adapter.replay.simulate import simulate
from cme.core.durations import SECOND_MS
from cme.core.progress import Progress, silent

HINDSIGHT = "hindsight"


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
    """Of a workload over a time, the optimum of hindsight last; the background is the first contender's policy's."""

    workload: str
    demand: Demand
    background: Background
    results: tuple[Result, ...]


def study(
    contenders: Sequence[Contender],
    past: Past,
    site: Site,
    since_ms: int,
    until_ms: int,
    progress: Progress = silent,
) -> Study:
    """All contenders over the same time."""
    runs = simulate(contenders, past, site, since_ms, until_ms, progress)
    demand = past.demand.within(since_ms, until_ms)
    found = [
        _result(run.contender.family, run.contender.setting, demand, run.cluster.ready, run.cluster.paid)
        for run in runs
    ]
    best = _result(HINDSIGHT, "", demand, *hindsight(demand, site))
    policy = contenders[0].policy
    behind = background(policy, past, times_of(demand))
    return Study(str(policy.workload), demand, behind, (*found, best))


def _result(family: str, setting: str, demand: Demand, ready: Changes, paid: Changes) -> Result:
    return Result(family, setting, outcome(demand, ready, paid), ready, paid)


def document(one: Study, price: float, cores: float) -> dict[str, Any]:
    """As JSON has it: figures, and what a chart shows at `times_s`. `price` is that of a replica-hour, `cores` are a replica's.

    Demand is the largest until the next time, capacity that of the time itself; `missing` names the steps (indices into
    the times) in which any replica was missing, and how many in the mean. Unknown numbers are None.
    """
    demand, behind = one.demand, one.background
    times = times_of(demand)
    return {
        "workload": one.workload,
        "price": price,
        "times_s": (times // SECOND_MS).tolist(),
        "demand": _known(largest(demand, times)),
        "forecast": {
            "lead_s": behind.lead_ms / SECOND_MS,
            "quantile": behind.quantile,
            "median": _known(behind.median),
            "covered": _known(behind.covered),
        },
        "bounds": {"floor": _known(behind.floor), "ceiling": _known(behind.ceiling)},
        "contenders": [
            {
                "family": result.family,
                "setting": result.setting,
                "cost": result.outcome.replica_hours * price,
                "cores_saved": result.outcome.saved_replicas * cores,
                **asdict(result.outcome),
                "capacity": numbers_at(result.ready, times).astype(int).tolist(),
                "missing": _sparse(missing(demand, result.ready, times)),
            }
            for result in one.results
        ],
    }


def _known(values: Doubles) -> list[float | None]:
    return [round(value, 3) if np.isfinite(value) else None for value in values.tolist()]


def _sparse(values: Doubles) -> dict[str, list[Any]]:
    steps = np.flatnonzero(values > 1e-9)
    return {"steps": steps.tolist(), "replicas": [float(f"{value:.3g}") for value in values[steps].tolist()]}
