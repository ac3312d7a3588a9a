"""How many replicas of a workload the whole quota of its namespace would hold."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cme.core.errors import InvalidInput
from cme.core.quantity import parse_quantity

Json = Mapping[str, Any]


def replicas_within(quotas: Iterable[Json], pods: Sequence[Json]) -> float:
    """`quotas`: ResourceQuotas; one with scopes holds for some pods alone and is left out. `pods`: the workload's, of which
    the most demanding counts. Infinite where no quota bounds them; NaN where one does and no pod shows what it needs.

    What a pod needs is what the quota counts of it (Kubernetes: "Resource Quotas"): one pod, and per resource the larger
    of the sum of its containers and of any init container, plus its overhead.
    """
    bounds = [
        _within(_milli(hard), kind, pods)
        for spec in (quota.get("spec") or {} for quota in quotas)
        if not spec.get("scopes") and not spec.get("scopeSelector")
        for name, hard in (spec.get("hard") or {}).items()
        if (kind := _counted(name)) is not None
    ]
    known = min((bound for bound in bounds if not math.isnan(bound)), default=math.inf)
    return math.nan if math.isinf(known) and any(map(math.isnan, bounds)) else known


def _counted(name: str) -> tuple[str, str] | None:
    """`requests` or `limits` and the resource that a quota's name means; ("", "") counts pods; None is of other things."""
    if name in ("pods", "count/pods"):
        return "", ""
    if name in ("cpu", "memory"):
        return "requests", name
    part, _, resource = name.partition(".")
    return (part, resource) if part in ("requests", "limits") and resource != "storage" else None


def _within(hard: float, kind: tuple[str, str], pods: Sequence[Json]) -> float:
    if kind == ("", ""):
        return hard // 1000
    needs = [need for pod in pods if not math.isnan(need := _need(pod, *kind))]
    if not needs:
        return math.nan if not pods else math.inf
    return math.inf if max(needs) == 0 else hard // max(needs)


def _need(pod: Json, part: str, resource: str) -> float:
    """Thousandths; NaN of a pod that says nothing of it."""
    spec = pod.get("spec") or {}

    def of(container: Json) -> float:
        return _milli(((container.get("resources") or {}).get(part) or {}).get(resource))

    told = [of(one) for one in spec.get("containers") or ()]
    if not told or all(map(math.isnan, told)):
        return math.nan
    whole = sum(one for one in told if not math.isnan(one))
    first = [one for one in map(of, spec.get("initContainers") or ()) if not math.isnan(one)]
    overhead = _milli((spec.get("overhead") or {}).get(resource))
    return max([whole, *first]) + (0 if math.isnan(overhead) else overhead)


def _milli(text: object) -> float:
    try:
        return parse_quantity(str(text))
    except InvalidInput:
        return math.nan
