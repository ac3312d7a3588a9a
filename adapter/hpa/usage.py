"""How much pods use against what they should: mirrors metrics/utilization.go."""

from collections.abc import Collection, Mapping

from adapter.hpa.arithmetic import int32, int64, quotient
from adapter.hpa.arithmetic import ratio as divide
from adapter.hpa.failures import Cause, MetricFailed


def average(values_m: Collection[int], target_m: int) -> tuple[float, int]:
    """Mirrors GetMetricUsageRatio: (average / target, average in thousandths)."""
    mean = quotient(int64(sum(values_m)), len(values_m))
    return divide(float(mean), float(target_m)), mean


def utilization(
    values_m: Mapping[str, int], requests_m: Mapping[str, int], target: int
) -> tuple[float, int, int]:
    """Mirrors GetResourceUtilizationRatio: (utilization / target, utilization in percent, average in thousandths).

    Pods without a known request don't count. Raises MetricFailed.
    """
    known = [name for name in values_m if name in requests_m]
    used = int64(sum(values_m[name] for name in known))
    requested = int64(sum(requests_m[name] for name in known))
    if requested == 0:
        raise MetricFailed(Cause.UNMATCHED)
    percent = int32(quotient(int64(used * 100), requested))
    return divide(float(percent), float(target)), percent, quotient(used, len(known))
