"""A load as it comes by the scenario's clocks, day after day."""

import numpy as np

from adapter.replay.load import Doubles, Times
from adapter.replay.scenario.shape import DAY_S, Shape
from cme.core.durations import MINUTE_MS, SECOND_MS
from cme.core.identity import stable_id
from predictor.calendar import offset_ms

STEP_MS = 15 * SECOND_MS
_SAME_OFFSET_MS = 15 * MINUTE_MS
"""Clocks are set at such times only."""


def middles(since_ms: int, until_ms: int) -> Times:
    """Of the steps of a span."""
    return np.arange(since_ms, until_ms, STEP_MS) + STEP_MS // 2


def drawn(shape: Shape, signal: str, times_ms: Times, zone: str) -> Doubles:
    """[time]: as the clocks there go. The noise of a minute is the same in each run, and another one for each signal."""
    quarters, which = np.unique(times_ms // _SAME_OFFSET_MS, return_inverse=True)
    offsets = np.array([offset_ms(zone, quarter * _SAME_OFFSET_MS) for quarter in quarters.tolist()])
    values = shape.at((times_ms + offsets[which]) / SECOND_MS % DAY_S)
    minutes, which = np.unique(times_ms // MINUTE_MS, return_inverse=True)
    beside = np.random.default_rng(stable_id(signal)).uniform(-shape.noise, shape.noise, len(minutes))
    return np.asarray(values * (1 + beside[which]))
