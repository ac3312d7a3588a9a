"""A past of a workload with one or two signals, made up; forecasts are given, not learnt."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapter.replay.forecasts import Forecasts
from adapter.replay.load import Load, minutes_of
from adapter.replay.past import Past
from cme.core.policy import ScalingPolicy
from predictor.grid import L, Q
from tests.unit.predictor.decide import story

MINUTE, HOUR = 60_000, 3_600_000
START = 500_000 * HOUR
QPS = {"name": "qps", "source": {"x": {}}, "perReplica": 100}
ARRIVALS = {"name": "arrivals", "source": {"x": {}}, "perReplica": 2}
BACKLOG = {
    "name": "jobs",
    "source": {"x": {}},
    "perReplica": 40,
    "drain": {"within": "10m", "arrivals": "arrivals"},
}


def policy(signals: Sequence[dict[str, Any]] = (QPS,), **spec: Any) -> ScalingPolicy:
    """Of a Deployment; it lets go at once, unless `spec` says otherwise."""
    own = {
        "signals": list(signals),
        "scaleDown": {"window": "0s", "maxDecrease": "100%/1m"},
        "limits": {"minReplicas": 1, "maxReplicas": 500},
    }
    return story.policy(**own | spec)


def past(values: Sequence[float], signal: str = "qps", carries: float = 100.0, ahead: float = 0.0) -> Past:
    """Minutes of one signal, whose forecasts are `ahead` (NaN: none) times what is measured at their minute's end."""
    load = Load(START, MINUTE, np.array([values], dtype=float))
    return Past(load, {signal: 0}, {signal: carries}, {signal: forecasts(load, ahead)})


def forecasts(load: Load, factor: float) -> Forecasts:
    ends = minutes_of(load)
    values = np.broadcast_to(load.mean(ends, MINUTE)[0] * factor, (L, Q, len(ends))).astype(np.float32)
    none = np.zeros(len(ends), dtype=np.uint32)
    return Forecasts(ends, values, none, none)
