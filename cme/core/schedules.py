"""Between how many replicas a policy's limits and schedules hold a workload at a moment. Depends on nothing but what is
given."""

import math
from datetime import date
from typing import NamedTuple

from cme.core.cron import CronWindow
from cme.core.policy import Schedule, Spec
from cme.core.reasons import Reason


class Bounds(NamedTuple):
    """`floor` is never above `ceiling`; without a limit or schedule they are 0 and infinite."""

    floor: float
    ceiling: float
    floor_reasons: Reason
    """Why a number is raised to the floor."""
    ceiling_reasons: Reason
    """Why one is lowered to the ceiling."""


class Told(NamedTuple):
    """What the cluster tells of a workload; NaN where it does not."""

    running: float = math.nan
    """Replicas that it should have now."""
    lead_ms: float = math.nan
    """How long a new one takes until it carries load, as learnt."""
    quota: float = math.nan
    """How many the namespace's whole quota holds; infinite where none bounds them."""


def replica_bounds(spec: Spec, now_ms: int, told: Told) -> Bounds:
    """What limits and schedules together allow: the largest floor and the smallest ceiling. Limits are a schedule that
    always holds.

    A floor above the ceiling wins, for too many replicas cost less than too few; it is within the limits, for a policy
    is refused whose schedules are not. Of what runs it depends how far the floor must be raised for the HPA to heed it.
    A quota that is not known bounds nothing: the API server refuses what is beyond it.
    """
    limits = spec.limits
    floors: list[tuple[int, Reason]] = [(0, Reason.NONE)]
    ceilings: list[tuple[float, Reason]] = [(math.inf, Reason.SCHEDULE_CEILING)]
    if spec.schedules:
        off, lead_ms = frozenset(spec.holidays), round(spec.forecast.lead_ms(told.lead_ms))
        floors += [_floor(one, off, lead_ms, now_ms) for one in spec.schedules]
        ceilings += [
            (one.max_replicas, Reason.SCHEDULE_CEILING)
            for one in spec.schedules
            if one.max_replicas is not None and one.window(off).active(now_ms)
        ]
    if limits.min_replicas is not None:
        floors.append((limits.min_replicas, Reason.LIMIT_FLOOR))
    if limits.max_replicas is not None:
        ceilings.append((limits.max_replicas, Reason.LIMIT_CEILING))
    if limits.quota_share is not None and not math.isnan(told.quota):
        ceilings.append((_share_of(told.quota, limits.quota_share), Reason.QUOTA_CEILING))
    floor, raised = max(floors, key=_earlier_reason)
    ceiling, lowered = min(ceilings)
    if floor > ceiling:
        ceiling, conflict = floor, Reason.SCHEDULE_CONFLICT
        raised, lowered = raised | conflict, lowered | conflict
    floor, tolerance = _heeded(floor, ceiling, told.running, spec.scale_up.tolerance)
    if tolerance:
        raised, lowered = raised | tolerance, lowered | (tolerance & Reason.SCHEDULE_UNHEEDED)
    return Bounds(floor, ceiling, raised, lowered)


def _earlier_reason(floor: tuple[int, Reason]) -> tuple[int, int]:
    """The largest floor, and of equal ones the reason that has stood longest in the list of reasons."""
    return floor[0], -floor[1]


def _share_of(quota: float, share: float) -> float:
    """Whole replicas, at least one: a share that is too small for any must not stop the workload."""
    return math.inf if math.isinf(quota) else max(1, math.floor(round(quota * share, 9)))


def _floor(schedule: Schedule, off: frozenset[date], lead_ms: int, now_ms: int) -> tuple[int, Reason]:
    """A schedule's floor: whole from the lead before its start, so that new replicas carry load when it starts."""
    if not schedule.min_replicas:
        return 0, Reason.NONE
    window = schedule.window(off)
    if window.active(now_ms):
        return schedule.min_replicas, Reason.SCHEDULE_FLOOR
    if window.active(now_ms, lead_ms):
        return schedule.min_replicas, Reason.SCHEDULE_AHEAD
    if schedule.ramp and (left_ms := _until_start(schedule, window, now_ms + lead_ms)):
        risen_ms = schedule.ramp - left_ms
        return -(-schedule.min_replicas * risen_ms // schedule.ramp), Reason.SCHEDULE_RAMP
    return 0, Reason.NONE


def _until_start(schedule: Schedule, window: CronWindow, at_ms: int) -> int:
    """Milliseconds from `at_ms` to the first start behind it, 0 if there is none within the ramp."""
    first = at_ms
    start = window.last_start(at_ms + schedule.ramp)
    while start is not None and start > at_ms:
        first, start = start, window.last_start(start - 1)
    return first - at_ms


def _heeded(floor: int, ceiling: float, running: float, tolerance: float) -> tuple[int, Reason]:
    """The floor, or if the HPA would ignore it the least number that it does not ignore, up to the ceiling.

    The HPA ignores numbers of up to 1 + tolerance times what runs (docs of the HPA: "Algorithm details").
    """
    # Rounded, for a float's dust must not make a number count that is just on the edge.
    ignored = math.floor(round((1 + tolerance) * running, 9)) if math.isfinite(running) else 0
    if not running < floor <= ignored:
        return floor, Reason.NONE
    served = int(min(ignored + 1, ceiling))
    raised = Reason.SCHEDULE_TOLERANCE if served > floor else Reason.NONE
    return served, raised | (Reason.SCHEDULE_UNHEEDED if served <= ignored else Reason.NONE)
