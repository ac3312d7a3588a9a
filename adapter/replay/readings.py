"""What an HPA reads of a contender's metrics at a sync."""

import math
from collections.abc import Callable
from typing import NamedTuple

from adapter.hpa.observation import Reading, Unavailable, Values
from adapter.metrics import REPLICAS_SCALING, REPLICAS_SCHEDULE, Form, parse_metric
from adapter.replay.contender import Contender
from adapter.replay.load import Times
from adapter.replay.past import Past
from cme.core.quantity import milli_from_float
from predictor.decide.chain import Decisions
from predictor.decide.rules import Doubles

UNAVAILABLE = Unavailable()


class Seen(NamedTuple):
    """At one sync; what a contender that decides nothing does not need is None."""

    sync: int
    decided: Decisions | None
    predicted: Doubles | None
    """[signal row]"""
    backlog: dict[str, float]
    carrying: int


class Place(NamedTuple):
    """Rows of a contender among the decisions."""

    workload: int = 0
    first_signal: int = 0


Read = Callable[[Seen], Reading]


class Measurements:
    """What is measured of each signal at each sync."""

    def __init__(self, past: Past, times_ms: Times) -> None:
        self._rows, self._values = past.rows, past.measured(times_ms)
        self._readings: dict[str, list[Reading]] = {}

    def value(self, signal: str, sync: int) -> float:
        return float(self._values[self._rows[signal], sync])

    def readings(self, signal: str) -> list[Reading]:
        """As the HPA reads it, by sync."""
        if signal not in self._readings:
            self._readings[signal] = [served(value) for value in self._values[self._rows[signal]].tolist()]
        return self._readings[signal]


def served(value: float) -> Reading:
    """A number as the HPA takes it; for NaN there is an error instead."""
    return UNAVAILABLE if math.isnan(value) else Values((milli_from_float(float(value)),))


def reader(metric: str, contender: Contender, measurements: Measurements, place: Place) -> Read:
    """Of one of the contender's metrics."""
    if metric == REPLICAS_SCALING:
        return lambda seen: served(_decided(seen).replicas[place.workload])
    if metric == REPLICAS_SCHEDULE:
        return lambda seen: served(_decided(seen).floor[place.workload])
    name, form = parse_metric(metric)
    signals = contender.policy.spec.signals
    row = place.first_signal + [signal.name for signal in signals].index(name)
    raw = _measured(name, contender, measurements)
    if form is Form.SCALING:
        return lambda seen: served(_decided(seen).value[row])
    if form is Form.PREDICTED:
        return lambda seen: UNAVAILABLE if seen.predicted is None else served(seen.predicted[row])
    return raw if form is Form.RAW else lambda seen: _each(raw(seen), seen.carrying)


def _measured(signal: str, contender: Contender, measurements: Measurements) -> Read:
    if any(one.drain for one in contender.policy.spec.signals if one.name == signal):
        return lambda seen: served(seen.backlog[signal])
    readings = measurements.readings(signal)
    return lambda seen: readings[seen.sync]


def _each(raw: Reading, carrying: int) -> Reading:
    """A replica's part, rounded down as it is served."""
    if isinstance(raw, Values) and carrying:
        return Values((raw.m[0] // carrying,))
    return UNAVAILABLE


def _decided(seen: Seen) -> Decisions:
    assert seen.decided is not None, "a contender that reads decisions decides"
    return seen.decided
