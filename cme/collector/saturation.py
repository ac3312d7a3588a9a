"""Whether a measured load is a lower bound: when each replica carries as much as it can, more may have been wanted."""

import json
from collections.abc import Sequence
from dataclasses import replace

from cme.core.batch import Batch
from cme.core.identity import SeriesKey
from cme.core.policy import ScalingPolicy
from cme.core.readings import REPLICAS_STALE_MS, Flag, Total


class Saturation:
    """The policies' `saturatedAbove`, and how many pods take load by the newest records of `replicas`."""

    def __init__(self) -> None:
        self._limits: dict[int, tuple[float, int]] = {}
        self._pods: dict[int, tuple[int, int]] = {}  # workload's id -> pods, when told

    def follow(self, policies: Sequence[ScalingPolicy]) -> None:
        """From now on by these."""
        self._limits = {
            policy.series(signal).id: (signal.saturated_above, SeriesKey(policy.workload, "replicas").id)
            for policy in policies
            for signal in policy.spec.signals
            if signal.saturated_above is not None
        }

    @property
    def asked(self) -> bool:
        """Whether any policy names a limit."""
        return bool(self._limits)

    def take(self, batch: Batch) -> None:
        """A record of `replicas`."""
        pods = json.loads(batch.texts("pods")[0])["pods"]
        self._pods[int(batch.series[0])] = len(pods), batch.time_ms

    def marked(self, series: int, total: Total, now_ms: int) -> Total:
        """The same load, flagged where it is at or above the limit of each pod.

        Without fresh knowledge of the pods nothing is flagged.
        """
        limit, workload = self._limits.get(series, (float("inf"), 0))
        pods, told_ms = self._pods.get(workload, (0, 0))
        if now_ms - told_ms > REPLICAS_STALE_MS or total.value < limit * max(pods, 1):
            return total
        return replace(total, flags=total.flags | Flag.SATURATED)
