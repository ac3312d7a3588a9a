"""How much later an HPA's own settings make it arrive, by its very algorithm."""

from adapter.hpa.controller import Controller
from adapter.hpa.observation import Observation, Scale, Values
from adapter.hpa.reconcile import reconcile
from adapter.hpa.spec import Behavior, Metric, MetricType, Spec, Target, TargetType
from adapter.hpa.state import Recommendation, State
from cme.core.durations import DAY_MS, SECOND_MS

SYNC_MS = 15 * SECOND_MS
_REPLICAS = Metric(MetricType.EXTERNAL, Target(TargetType.AVERAGE_VALUE, 1000))
"""A metric that says how many replicas there should be."""


def delay_s(behavior: Behavior, start: int, goal: int) -> int | None:
    """Seconds from the first decision after a metric went from `start` to `goal` replicas until the HPA is there.

    It is decided every 15 s. None: not within a day. An HPA without delays of its own has 0.
    """
    spec = Spec(max(start, goal), min(start, goal), (_REPLICAS,), behavior)
    controller, state, size = Controller(tolerance=0.0), State((Recommendation(start, 0),)), start
    for now_ms in range(0, DAY_MS, SYNC_MS):
        step = reconcile(controller, spec, state, _seen(size, goal), now_ms)
        state, size = step.state, size if step.desired is None else step.desired
        if size == goal:
            return now_ms // SECOND_MS
    return None


def _seen(size: int, wanted: int) -> Observation:
    return Observation(Scale(size, size), (Values((wanted * 1000,)),))
