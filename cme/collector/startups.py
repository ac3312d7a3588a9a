"""How long a workload's replicas take from their creation until they carry load, learnt from its pods."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cme.core.durations import DAY_MS, HOUR_MS
from cme.core.replica_record import Startup

KEPT = 100
"""Starts of a workload that are remembered: the newest."""
QUANTILE = 0.9
LONGEST_MS = HOUR_MS
"""A pod that was ready already when it was first seen tells a longer start only if it never started anew: one that lost
its readiness for a while would look like a slow start."""

Json = Mapping[str, Any]


@dataclass
class Startups:
    """Of one workload. `ordered`: its pods are started one after the other, unless they are seen not to be."""

    ordered: bool
    _ended: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=KEPT))  # duration, whole
    _pending: dict[str, int] = field(default_factory=dict)  # uid -> creation
    _seen: set[str] = field(default_factory=set)
    _steps: deque[tuple[int, int]] = field(default_factory=deque)
    """Time and replicas that were missing then, of a day; what is not larger than a later one is left out, so the first is
    the largest."""

    def take(self, pods: Iterable[Json], wanted: float, now_ms: int) -> None:
        """All pods of the workload as the cluster lists them, and how many replicas it should have."""
        present = {str(pod["metadata"].get("uid")): pod for pod in pods}
        ready = sum(self._look(uid, pod) for uid, pod in present.items())
        for uid in self._pending.keys() - present.keys():  # left before it was ready
            self._ended.append((float(now_ms - self._pending.pop(uid)), False))
        self._seen &= present.keys()
        self.ordered &= len(self._pending) < 2
        missing = max(1, int(wanted) - ready)
        while self._steps and self._steps[-1][1] <= missing:
            self._steps.pop()
        self._steps.append((now_ms, missing))
        while self._steps[0][0] < now_ms - DAY_MS:
            self._steps.popleft()

    def _look(self, uid: str, pod: Json) -> bool:
        """Whether it is ready; a start that has ended is remembered."""
        created = _milliseconds(pod["metadata"].get("creationTimestamp"))
        became = _ready_since(pod)
        if created is None:
            return became is not None
        if became is None:
            if uid not in self._seen:
                self._pending[uid] = created
            return False
        pending = self._pending.pop(uid, None) is not None
        duration = float(max(0, became - created))
        if pending or (uid not in self._seen and duration <= LONGEST_MS and not _restarted(pod)):
            self._ended.append((duration, True))
        self._seen.add(uid)
        return True

    def learnt(self, now_ms: int) -> Startup | None:
        """None while no start has ended."""
        count = sum(whole for _, whole in self._ended)
        if not count:
            return None
        open_ = [(float(now_ms - created), False) for created in self._pending.values()]
        steps = self._steps[0][1] if self.ordered else 1
        return Startup(quantile([*self._ended, *open_], QUANTILE), count, steps)


def quantile(durations: Sequence[tuple[float, bool]], q: float) -> float:
    """Of durations of which some (False) were only seen to last at least as long: the least time by which the share of
    those that have ended reaches q, by the product-limit estimate (Kaplan and Meier 1958); the longest known where it
    never does."""
    left, at_risk = 1.0, len(durations)
    for duration, whole in sorted(durations, key=lambda one: (one[0], not one[1])):
        if whole:
            left *= 1 - 1 / at_risk
            if left <= 1 - q + 1e-9:
                return duration
        at_risk -= 1
    return max(duration for duration, _ in durations)


def _ready_since(pod: Json) -> int | None:
    for one in (pod.get("status") or {}).get("conditions") or ():
        if one.get("type") == "Ready" and one.get("status") == "True":
            return _milliseconds(one.get("lastTransitionTime"))
    return None


def _restarted(pod: Json) -> bool:
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    return any(one.get("restartCount") for one in containers)


def _milliseconds(text: object) -> int | None:
    """Of a time as Kubernetes writes it."""
    try:
        return round(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except ValueError:
        return None
