"""Loads as a scenario's statements have them: by its clocks, day after day, and what else happens to them."""

import numpy as np

from adapter.replay.load import Doubles, Load, Times
from adapter.replay.scenario.frame import Frame
from adapter.replay.scenario.given import Given
from adapter.replay.scenario.grammar import MOST_REPLICAS
from adapter.replay.scenario.lines import Problems, refused
from adapter.replay.scenario.shape import DAY_S, Shape
from adapter.replay.scenario.statements import Failing, LoadOf, Other, PolicyOf
from cme.core.durations import MINUTE_MS, SECOND_MS
from cme.core.identity import stable_id
from predictor.calendar import offset_ms

STEP_MS = 15 * SECOND_MS
_SAME_OFFSET_MS = 15 * MINUTE_MS
"""Clocks are set at such times only."""


def loads_of(given: Given, frame: Frame, since_ms: int, problems: Problems) -> tuple[Load, Load]:
    """From then to the run's end: as it was, and as it was measured."""
    middles = np.arange(since_ms, frame.until_ms, STEP_MS) + STEP_MS // 2
    came = _came(given, frame, middles, problems)
    seen = came.copy()
    for line, failing in given.all(Failing):
        with problems.of(line):
            now = _within(middles, *frame.span(failing.since, failing.until))
            for signal in _unknown(frame, failing.signal):
                seen[frame.rows[signal], now] = np.nan
    return Load(since_ms, STEP_MS, came), Load(since_ms, STEP_MS, seen)


def _came(given: Given, frame: Frame, times_ms: Times, problems: Problems) -> Doubles:
    """[signal, time]"""
    came = np.zeros((len(frame.rows), len(times_ms)))
    missing = dict(frame.rows)
    for line, one in given.all(LoadOf):
        with problems.of(line):
            row = _row(frame, one.signal, one.shape.most)
            came[row] = drawn(one.shape, one.signal, times_ms, frame.zone.key)
        missing.pop(one.signal, None)
    for signal in missing:
        line = given.all(PolicyOf)[0][0]
        problems.append(line.problem(f"its signal {signal} has no load; write as in: load {signal}: 500"))
    for line, other in given.all(Other):
        with problems.of(line):
            row = _row(frame, other.signal, other.value)
            came[row, _within(times_ms, *frame.span(other.since, other.until))] = other.value
    return came


def _row(frame: Frame, signal: str, most: float) -> int:
    """Of a signal whose load is at most so much. Raises InvalidInput for what can't be played."""
    row = frame.rows[frame.rate(signal)]
    if most / frame.rates[signal] > MOST_REPLICAS:
        raise refused(f"a load of {most:g} calls for more than {MOST_REPLICAS} replicas", "write less")
    return row


def _unknown(frame: Frame, signal: str | None) -> list[str]:
    """Signals that fail; None is all. Raises InvalidInput."""
    arrivals = {one.drain.arrivals for one in frame.policy.spec.signals if one.drain}
    found = list(frame.rates) if signal is None else [frame.rate(signal)]
    for one in arrivals & set(found):
        raise refused(
            f"{one} arrives in a backlog, which the model counts by it", "let another signal be unknown"
        )
    return found


def _within(times_ms: Times, since_ms: int, until_ms: int) -> np.ndarray:
    return (times_ms >= since_ms) & (times_ms < until_ms)


def drawn(shape: Shape, signal: str, times_ms: Times, zone: str) -> Doubles:
    """[time]: as the clocks there go. The noise of a minute is the same in each run, and another one for each signal."""
    quarters, which = np.unique(times_ms // _SAME_OFFSET_MS, return_inverse=True)
    offsets = np.array([offset_ms(zone, quarter * _SAME_OFFSET_MS) for quarter in quarters.tolist()])
    values = shape.at((times_ms + offsets[which]) / SECOND_MS % DAY_S)
    minutes, which = np.unique(times_ms // MINUTE_MS, return_inverse=True)
    beside = np.random.default_rng(stable_id(signal)).uniform(-shape.noise, shape.noise, len(minutes))
    return np.asarray(values * (1 + beside[which]))
