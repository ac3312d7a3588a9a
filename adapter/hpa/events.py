"""Changes of the past that policies with a period count."""

from adapter.hpa.arithmetic import int32
from adapter.hpa.spec import Rules
from adapter.hpa.state import ScaleEvent, ScaleEvents
from cme.core.durations import SECOND_MS


def change_within(events: ScaleEvents, period_s: int, now_ms: int) -> int:
    """Mirrors getReplicasChangePerPeriod; an event exactly as old as the period is out of it."""
    cutoff = now_ms - period_s * SECOND_MS
    return int32(sum(event.change for event in events if event.time_ms > cutoff))


def stored(events: ScaleEvents, change: int, rules: Rules, now_ms: int) -> ScaleEvents:
    """Mirrors storeScaleEvent for one direction: the new event takes the last outdated slot, else a new one."""
    cutoff = now_ms - longest_period_s(rules) * SECOND_MS
    marked = [
        event._replace(outdated=True) if event.time_ms < cutoff and not event.outdated else event
        for event in events
    ]
    outdated = [slot for slot, event in enumerate(marked) if event.outdated]
    if not outdated:
        return (*marked, ScaleEvent(change, now_ms))
    marked[outdated[-1]] = ScaleEvent(change, now_ms)
    return tuple(marked)


def longest_period_s(rules: Rules) -> int:
    """Mirrors getLongestPolicyPeriod."""
    return max((policy.period_s for policy in rules.policies), default=0)
