"""Recommendations of the past hold back what the present asks for."""

from dataclasses import dataclass

from adapter.hpa.state import Recommendation, Recommendations
from cme.core.durations import SECOND_MS


@dataclass(frozen=True, slots=True)
class Stabilized:
    replicas: int
    log: Recommendations
    reason: str
    """Of AbleToScale, should `replicas` differ from what was asked for."""


def without_behavior(log: Recommendations, desired: int, window_ms: int, now_ms: int) -> Stabilized:
    """Mirrors stabilizeRecommendation: the largest of the window; one exactly as old as it still counts."""
    cutoff = now_ms - window_ms
    largest, old = desired, None
    for slot, (replicas, time_ms) in enumerate(log):
        if time_ms < cutoff:
            old = slot
        elif replicas > largest:
            largest = replicas
    return Stabilized(largest, _kept(log, old, Recommendation(desired, now_ms)), "ScaleDownStabilized")


@dataclass(frozen=True, slots=True)
class Windows:
    up_s: int
    down_s: int


def with_behavior(
    log: Recommendations, current: int, desired: int, windows: Windows, now_ms: int
) -> Stabilized:
    """Mirrors stabilizeRecommendationWithBehaviors; a recommendation exactly as old as a window is out of it."""
    up_cutoff, down_cutoff = now_ms - windows.up_s * SECOND_MS, now_ms - windows.down_s * SECOND_MS
    both = min(up_cutoff, down_cutoff)
    least, most, old = desired, desired, None
    for slot, (replicas, time_ms) in enumerate(log):
        if time_ms > up_cutoff and replicas < least:
            least = replicas
        if time_ms > down_cutoff and replicas > most:
            most = replicas
        if time_ms < both:
            old = slot
    reason = "ScaleUpStabilized" if desired >= current else "ScaleDownStabilized"
    stabilized = min(max(current, least), most)
    return Stabilized(stabilized, _kept(log, old, Recommendation(desired, now_ms)), reason)


def _kept(log: Recommendations, old: int | None, new: Recommendation) -> Recommendations:
    """The log with `new` in the last slot that is old, else at its end."""
    return (*log, new) if old is None else (*log[:old], new, *log[old + 1 :])
