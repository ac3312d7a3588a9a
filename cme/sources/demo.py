"""Demo: three loads as functions of time, so that the past can be written as it would have been measured.

`tide` is a web service in cores between 60 and 2500, `bursts` a transcoder's backlog, `batch` the items of a
job that fills the night. Noise is a hash of the moment: the same time gives the same value in every run.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cme.core.documents import Document
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection
from cme.sources.protocol import SourceKind

DAY_S = 86_400.0
Loads = NDArray[np.float64]


class Spec(Document):
    """A load that is made up."""

    load: Literal["tide", "bursts", "batch"]
    """Its course over the day."""


class Demo:
    def __init__(self, spec: Spec, connection: Connection | None) -> None:
        self._spec = spec

    async def read(self, now_ms: int, timeout_s: float) -> Harvest:
        value = load_at(self._spec.load, np.array([now_ms / 1000]))[0]
        return Harvest([Reading("demo", float(value), now_ms)], {"": 1})

    async def close(self) -> None:
        """Nothing is held open."""


def load_at(name: str, seconds: Loads) -> Loads:
    """The load at moments in seconds since the epoch (UTC)."""
    return {"tide": _tide, "bursts": _bursts, "batch": _batch}[name](seconds)


def _tide(t: Loads) -> Loads:
    """Cores: a trough of 60 before dawn, a peak of 2500 in the evening, weekends at four fifths."""
    day = 0.5 - 0.5 * np.cos(2 * np.pi * (t / DAY_S - 4 / 24))
    weekend = np.where(np.floor(t / DAY_S + 3) % 7 >= 5, 0.8, 1.0)
    return (60 + 2440 * day**1.7 * weekend) * (1 + 0.03 * _slow_noise(t, 300.0, 1))


def _bursts(t: Loads) -> Loads:
    """Items waiting: an upload now and then arrives all at once and is worked off over twenty minutes."""
    hour = np.floor(t / 3600)
    backlog = 20 + 10 * _slow_noise(t, 120.0, 2)
    for before in (0, 1):
        start = (hour - before) * 3600 + 3600 * _noise(hour - before, 3)
        size = np.where(_noise(hour - before, 4) > 0.7, 4000 * _noise(hour - before, 5), 0)
        age = t - start
        backlog += np.where((age >= 0) & (age < 1200), size * (1 - age / 1200), 0)
    return np.maximum(0.0, backlog)


def _batch(t: Loads) -> Loads:
    """Items per second between 22:00 and 06:00 UTC, next to nothing by day."""
    hour = t % DAY_S / 3600
    night = np.clip(np.minimum((hour - 22) % 24, (6 - hour) % 24), 0, 0.5) * 2 * (((hour - 22) % 24) < 8)
    return 5 + 900 * night * (1 + 0.05 * _slow_noise(t, 600.0, 6))


def _slow_noise(t: Loads, period_s: float, seed: int) -> Loads:
    """Between -1 and 1, linear between a value per period."""
    slot = np.floor(t / period_s)
    share = t / period_s - slot
    left, right = _noise(slot, seed), _noise(slot + 1, seed)
    return 2 * (left * (1 - share) + right * share) - 1


def _noise(slot: Loads, seed: int) -> Loads:
    """Between 0 and 1, a hash of the slot (splitmix64's finalizer, Steele et al. 2014)."""
    x = slot.astype(np.int64).view(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


KIND = SourceKind("demo", Spec, Demo)
