"""From one metric to a number of replicas: mirrors ReplicaCalculator, metric type by metric type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapter.hpa import grouping, usage
from adapter.hpa.arithmetic import INT32_MAX, INT64_MAX, ceil, int32_of, int64, int64_of, quotient
from adapter.hpa.arithmetic import ratio as divide
from adapter.hpa.controller import Controller
from adapter.hpa.failures import Cause, MetricFailed
from adapter.hpa.grouping import Groups
from adapter.hpa.observation import Pod, Sample
from adapter.hpa.pod_requests import requests_m
from adapter.hpa.tolerance import Tolerances


@dataclass(frozen=True, slots=True)
class Proposal:
    replicas: int
    usage_m: int
    """As the HPA's status shows it: the value or the average, in thousandths."""
    utilization: int | None = None
    """In percent, of a utilization target."""


@dataclass(frozen=True, slots=True)
class Calculator:
    """What all metrics of one step share. Every method may raise MetricFailed."""

    controller: Controller
    tolerances: Tolerances
    pods: tuple[Pod, ...]
    now_ms: int

    def utilization(
        self, current: int, target: int, resource: str, container: str, samples: Mapping[str, Sample]
    ) -> Proposal:
        """Mirrors GetResourceReplicas: `target` percent of the requests; `container` is "" for whole pods."""
        groups, values = self._usable(samples, resource)
        requests = requests_m(self.controller, self.pods, resource, container)
        at_least = max(100, target)

        def measure(values: Mapping[str, int]) -> float:
            return usage.utilization(values, requests, target)[0]

        def suppose(name: str) -> int:
            return quotient(int64(requests[name] * at_least), 100)

        _, percent, mean = usage.utilization(values, requests, target)
        return Proposal(self._settle(current, groups, values, measure, suppose), mean, percent)

    def average(self, current: int, target_m: int, resource: str, samples: Mapping[str, Sample]) -> Proposal:
        """Mirrors calcPlainMetricReplicas, and with it GetRawResourceReplicas and (resource "") GetMetricReplicas."""
        groups, values = self._usable(samples, resource)

        def measure(values: Mapping[str, int]) -> float:
            return usage.average(values.values(), target_m)[0]

        _, mean = usage.average(values.values(), target_m)
        return Proposal(self._settle(current, groups, values, measure, lambda _: target_m), mean)

    def object_value(self, current: int, target_m: int, value_m: int) -> Proposal:
        """Mirrors GetObjectMetricReplicas."""
        ratio = divide(float(value_m), float(target_m))
        return Proposal(self._by_ratio(current, ratio), value_m)

    def object_average(self, status_replicas: int, target_m: int, value_m: int) -> Proposal:
        """Mirrors GetObjectPerPodMetricReplicas. Upstream's quirks: status.replicas, and no cap."""
        wanted = ceil(divide(float(value_m), float(target_m)))
        replicas = int32_of(wanted) if self._off(status_replicas, target_m, value_m) else status_replicas
        return Proposal(replicas, int64_of(ceil(divide(float(value_m), float(status_replicas)))))

    def external_value(self, current: int, target_m: int, values_m: tuple[int, ...]) -> Proposal:
        """Mirrors GetExternalMetricReplicas."""
        total = self._total(values_m)
        ratio = divide(float(total), float(target_m))
        return Proposal(self._by_ratio(current, ratio), total)

    def external_average(self, status_replicas: int, target_m: int, values_m: tuple[int, ...]) -> Proposal:
        """Mirrors GetExternalPerPodMetricReplicas."""
        total = self._total_of_average(values_m)
        wanted = ceil(divide(float(total), float(target_m)))
        off = self._off(status_replicas, target_m, total)
        replicas = self._capped(wanted) if off else status_replicas
        if self.controller.caps and float(total) >= float(INT64_MAX):
            return Proposal(replicas, INT64_MAX)
        return Proposal(replicas, int64_of(ceil(divide(float(total), float(status_replicas)))))

    def _usable(self, samples: Mapping[str, Sample], resource: str) -> tuple[Groups, dict[str, int]]:
        """Mirrors how both calculations begin: the groups, and the values of pods neither ignored nor unready."""
        if not samples:
            raise MetricFailed(Cause.UNAVAILABLE)
        if not self.pods:
            raise MetricFailed(Cause.NO_PODS)
        groups = grouping.group_pods(self.controller, self.pods, samples, resource, self.now_ms)
        values = {name: sample.value_m for name, sample in samples.items()}
        for name in (*groups.ignored, *groups.unready):
            values.pop(name, None)
        if not values:
            raise MetricFailed(Cause.NONE_USABLE)
        return groups, values

    def _settle(
        self,
        current: int,
        groups: Groups,
        values: Mapping[str, int],
        measure: Callable[[Mapping[str, int]], float],
        suppose: Callable[[str], int],
    ) -> int:
        """Mirrors how both calculations end: fill what isn't known in the cautious way, and never turn round."""
        ratio = measure(values)
        rises = bool(groups.unready) and ratio > 1.0
        if not groups.missing and not rises:
            return current if self.tolerances.within(ratio) else int32_of(ceil(ratio * float(groups.ready)))
        filled = {**values, **_supposed(groups, ratio, rises, suppose)}
        again = measure(filled)
        if self.tolerances.within(again) or (ratio < 1.0 < again) or (again < 1.0 < ratio):
            return current
        replicas = int32_of(ceil(again * float(len(filled))))
        against = (again < 1.0 and replicas > current) or (again > 1.0 and replicas < current)
        return current if against else replicas

    def _by_ratio(self, current: int, ratio: float) -> int:
        """Mirrors getUsageRatioReplicaCount: from zero on without tolerance."""
        if current == 0:
            return int32_of(ceil(ratio))
        if self.tolerances.within(ratio):
            return current
        if not self.pods:
            raise MetricFailed(Cause.NO_PODS)
        return self._capped(ceil(ratio * float(grouping.count_ready(self.pods))))

    def _off(self, status_replicas: int, target_m: int, value_m: int) -> bool:
        """Is the average of `value_m` over the replicas out of tolerance?"""
        return self.tolerances.exceeded(divide(float(value_m), float(target_m) * float(status_replicas)))

    def _capped(self, replicas: float) -> int:
        return INT32_MAX if self.controller.caps and replicas > INT32_MAX else int32_of(replicas)

    def _total(self, values_m: tuple[int, ...]) -> int:
        """Mirrors the sum in GetExternalMetricReplicas."""
        total = 0
        for value in values_m:
            if self.controller.caps and value > 0 and total > INT64_MAX - value:
                return INT64_MAX
            total = int64(total + value)
        return total

    def _total_of_average(self, values_m: tuple[int, ...]) -> int:
        """Mirrors the sum in GetExternalPerPodMetricReplicas: a negative one is taken for an overflow."""
        total = 0
        for value in values_m:
            total = int64(total + value)
            if self.controller.caps and total < 0:
                return INT64_MAX
        return total


def _supposed(groups: Groups, ratio: float, rises: bool, suppose: Callable[[str], int]) -> dict[str, int]:
    """Values for pods that have none: missing ones hold a change back, unready ones a rise."""
    filled: dict[str, int] = {}
    if ratio < 1.0:
        filled = {name: suppose(name) for name in groups.missing}
    elif ratio > 1.0:
        filled = dict.fromkeys(groups.missing, 0)
    if rises:
        filled.update(dict.fromkeys(groups.unready, 0))
    return filled
