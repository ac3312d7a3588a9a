"""One contender on its way through a past."""

from collections.abc import Sequence

from adapter.hpa.observation import Observation, Scale
from adapter.hpa.reconcile import Step, reconcile
from adapter.hpa.state import State
from adapter.replay.cluster import Cluster
from adapter.replay.contender import Contender
from adapter.replay.past import Past
from adapter.replay.readings import Measurements, Read, Seen
from cme.core.durations import SECOND_MS
from predictor.decide.chain import Decisions
from predictor.decide.rules import Doubles


class Run:
    """`cluster` holds what became of the contender, `backlog` what waits by signal, `steps` what its HPA changed."""

    def __init__(self, contender: Contender, cluster: Cluster, reads: Sequence[Read], now_ms: int) -> None:
        self.contender, self.cluster, self._reads = contender, cluster, reads
        self._drains = {one.name: one.drain.arrivals for one in contender.policy.spec.signals if one.drain}
        self.backlog = dict.fromkeys(self._drains, 0.0)
        self.wanted = cluster.pods
        self._state, self._now_ms = State(), now_ms

    def advance(self, sync: int, now_ms: int, past: Past, measurements: Measurements) -> None:
        """Let the time up to a sync pass: pods start, queues grow and drain."""
        carried_s = self.cluster.advance(now_ms) / SECOND_MS
        for backlog, arrivals in self._drains.items():
            came = measurements.value(arrivals, sync) * (now_ms - self._now_ms) / SECOND_MS
            if came == came:  # NaN: unknown; nothing came then, as far as anybody knows
                left = self.backlog[backlog] + came - carried_s * past.carries[arrivals]
                self.backlog[backlog] = max(0.0, left)
        self._now_ms = now_ms

    def sync(
        self, sync: int, now_ms: int, decided: Decisions | None, predicted: Doubles | None
    ) -> Step | None:
        """What the HPA does; a fixed size does nothing."""
        autoscaler = self.contender.autoscaler
        if autoscaler is None:
            return None
        seen = Seen(sync, decided, predicted, self.backlog, self.cluster.carrying)
        readings = tuple(read(seen) for read in self._reads)
        observed = Observation(Scale(self.wanted, self.cluster.pods), readings)
        step = reconcile(autoscaler.controller, autoscaler.spec, self._state, observed, now_ms)
        self._state = step.state
        if step.rescaled and step.desired is not None:
            self.wanted = step.desired
            self.cluster.scale(step.desired, now_ms)
        return step
