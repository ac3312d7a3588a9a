"""Counter to rate, as pure state: points in, rate or a named refusal out."""

import math
from dataclasses import dataclass, field
from enum import StrEnum


class Refusal(StrEnum):
    """Why a value was not used. The names are label values of a metric."""

    NAN = "nan"
    INFINITE = "infinite"
    NEGATIVE = "negative"
    DUPLICATE = "duplicate"  # the same time again
    LATE = "late"  # older than what is known
    FIRST = "first"  # a rate needs two points
    GAP = "gap"  # too long since the last point: what happened between is unknown


LARGEST = 1e30
"""What no load reaches, and small enough that a sum of a hundred million parts is a float32, as minutes hold it."""


def refusal_of(value: float) -> Refusal | None:
    """Why a load can't have this value, or None if it can."""
    if math.isnan(value):
        return Refusal.NAN
    if abs(value) > LARGEST:
        return Refusal.INFINITE
    return Refusal.NEGATIVE if value < 0 else None


@dataclass(slots=True)
class CounterWindow:
    """Rate of one counter over a sliding window.

    A decrease is a restart of the counted process: the counter began again at 0, so the increase is the new
    value (Prometheus' `increase` counts a reset in the same way, without its extrapolation).
    """

    window_ms: int
    max_gap_ms: int
    _points: list[tuple[int, float]] = field(default_factory=list)  # (time, increase since the first point)
    _last: float = 0.0

    def push(self, time_ms: int, value: float) -> float | Refusal:
        """The rate per second over the window that ends at `time_ms`, or why there is none."""
        if (refusal := refusal_of(value)) is not None:
            return refusal
        since = time_ms - self._points[-1][0] if self._points else 0
        if self._points and -self.max_gap_ms <= since <= 0:
            return Refusal.LATE if since else Refusal.DUPLICATE
        # A gap backwards is a clock that was set: to wait until it is back would be to measure nothing till then.
        if not self._points or abs(since) > self.max_gap_ms:
            refusal = Refusal.GAP if self._points else Refusal.FIRST
            self._points, self._last = [(time_ms, 0.0)], value
            return refusal
        increase = value - self._last if value >= self._last else value
        self._points.append((time_ms, self._points[-1][1] + increase))
        self._last = value
        self._forget(time_ms - self.window_ms)
        (t0, v0), (t1, v1) = self._points[0], self._points[-1]
        return (v1 - v0) / (t1 - t0) * 1000

    def _forget(self, start_ms: int) -> None:
        """Drop points before the window but the newest of them: there the window's first increase starts."""
        while len(self._points) > 2 and self._points[1][0] <= start_ms:
            del self._points[0]
