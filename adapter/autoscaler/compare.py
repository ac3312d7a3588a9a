"""What of a live HPA delays, falsifies or lacks a policy's decision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from adapter.autoscaler.delay import delay_s
from adapter.autoscaler.live import LiveHpa, Metric, Source
from adapter.autoscaler.manifest import TOLERANT_MINOR, at_once, ceilings, floors, needed
from adapter.catalog import Entry
from adapter.hpa.spec import Behavior, Rules, Select
from adapter.metrics import REPLICAS_SCALING, REPLICAS_SCHEDULE, Form, metric_names, parse_metric
from cme.core.durations import format_duration
from cme.core.policy import ScalingPolicy
from cme.core.quantity import format_quantity

Rule = Literal["missing", "wrong", "stacked"]


@dataclass(frozen=True)
class Finding:
    """`field` is where in the HPA, `text` what is so and what to do. Stacked: a setting on top of the policy's own."""

    rule: Rule
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.field}: {self.text}"


def compare(policy: ScalingPolicy, live: Sequence[LiveHpa], minor: int) -> list[Finding]:
    """All findings for a policy among the HPAs of a cluster of Kubernetes 1.`minor`; none: it fits."""
    its = [hpa for hpa in live if hpa.scales(policy)]
    if len(its) != 1:
        return [_number(policy, its)]
    (hpa,) = its
    return [*_metrics(policy, hpa), *_bounds(policy, hpa), *_delays(policy, hpa), *_tolerances(hpa, minor)]


def _number(policy: ScalingPolicy, its: Sequence[LiveHpa]) -> Finding:
    field = "spec.scaleTargetRef"
    if its:
        names = ", ".join(hpa.metadata.name for hpa in its)
        return Finding("wrong", field, f"{names} scale {policy.workload}, against each other; keep one")
    return Finding("missing", field, f"no HPA scales {policy.workload}; `tidecast hpa` prints one")


def _metrics(policy: ScalingPolicy, hpa: LiveHpa) -> Iterator[Finding]:
    """Metrics that are not tidecast's are left alone: the HPA takes the largest of all proposals."""
    entry = Entry.of(policy)
    offered = set(metric_names(entry.signals))
    present = set()
    for index, metric in enumerate(hpa.spec.metrics):
        source = metric.source
        if source and source.metric.name in offered:
            present.add(source.metric.name)
            yield from _metric(policy, entry, metric, source, f"spec.metrics.{index}")
    if {f"{signal}{Form.SCALING.value}" for signal in entry.signals} <= present:
        present.add(REPLICAS_SCALING)  # each signal's decision by itself comes to the same
    for name in needed(policy):
        if name not in present:
            yield Finding("missing", "spec.metrics", f"{name} is not asked for; add it with AverageValue 1")


def _metric(
    policy: ScalingPolicy, entry: Entry, metric: Metric, source: Source, field: str
) -> Iterator[Finding]:
    name, target = source.metric.name, source.target
    kind, amount = _fitting(policy, name)
    given = target.average_value if target.type == "AverageValue" else target.value
    if (target.type, given) != (kind, amount):
        told = target.type if given is None else f"{target.type} {format_quantity(given)}"
        text = f"{name} has {told}; write {kind} {format_quantity(amount)}"
        yield Finding("wrong", f"{field}.target", text)
    if metric.object and not (source.described_object and source.described_object.means(policy)):
        text = (
            f"{name} is of the workload that is scaled; write {policy.workload.kind} {policy.workload.name}"
        )
        yield Finding("wrong", f"{field}.object.describedObject", text)
    strange = {k: v for k, v in source.metric.selector.match_labels.items() if entry.labels.get(k) != v}
    if strange:
        told = ", ".join(f"{key}: {value}" for key, value in entry.labels.items())
        text = f"{name} is not selected by {', '.join(strange)}; its labels are {told}"
        yield Finding("wrong", f"{field}.metric.selector", text)


def _fitting(policy: ScalingPolicy, metric: str) -> tuple[str, int]:
    """The target's type and thousandths for a metric of the policy."""
    if metric in (REPLICAS_SCALING, REPLICAS_SCHEDULE):
        return "AverageValue", 1000
    name, form = parse_metric(metric)
    (amount,) = [round(signal.per_replica * 1000) for signal in policy.spec.signals if signal.name == name]
    return "Value" if form is Form.PER_REPLICA else "AverageValue", amount


def _bounds(policy: ScalingPolicy, hpa: LiveHpa) -> Iterator[Finding]:
    """Those of the policy's limits; where it has none, room for its schedules."""
    least, most, limits = hpa.spec.min_replicas, hpa.spec.max_replicas, policy.spec.limits
    floor, ceiling = max(floors(policy), default=0), max(1, min(ceilings(policy), default=least))
    if limits.max_replicas not in (None, most):
        told = f"{most} is not that of the policy's limits; write {limits.max_replicas}"
        yield Finding("wrong", "spec.maxReplicas", told)
    elif most < floor:
        told = f"{most} is less than a schedule's floor; write {floor} or more"
        yield Finding("wrong", "spec.maxReplicas", told)
    if limits.min_replicas not in (None, least):
        told = f"{least} is not that of the policy's limits; write {limits.min_replicas}"
        yield Finding("wrong", "spec.minReplicas", told)
    elif least > ceiling:
        told = f"{least} is more than a schedule's ceiling; write {ceiling} or less"
        yield Finding("wrong", "spec.minReplicas", told)


def _delays(policy: ScalingPolicy, hpa: LiveHpa) -> Iterator[Finding]:
    """Each setting put alone into the HPA that has no delays; the farthest way, between the HPA's own bounds."""
    least, most = max(1, hpa.spec.min_replicas), hpa.spec.max_replicas
    fitting, behavior = at_once(most), hpa.behavior
    own = f" on top of the policy's window of {format_duration(policy.spec.scale_down.window)}"
    for field, rules in _settings(fitting.down, behavior.down):
        delay = delay_s(Behavior(fitting.up, rules), most, least)
        yield from _stacked(f"spec.behavior.scaleDown.{field}", delay, f"{most} to {least} replicas", own)
    for field, rules in _settings(fitting.up, behavior.up):
        delay = delay_s(Behavior(rules, fitting.down), least, most)
        yield from _stacked(f"spec.behavior.scaleUp.{field}", delay, f"{least} to {most} replicas", "")


def _settings(fitting: Rules, live: Rules) -> Iterator[tuple[str, Rules]]:
    yield "stabilizationWindowSeconds", replace(fitting, stabilization_s=live.stabilization_s)
    limits = "selectPolicy" if live.select is Select.DISABLED else "policies"
    yield limits, replace(fitting, policies=live.policies, select=live.select)


def _stacked(field: str, delay: int | None, way: str, own: str) -> Iterator[Finding]:
    if delay == 0:
        return
    told = "more than a day" if delay is None else f"{delay} s"
    yield Finding(
        "stacked", field, f"delays a change from {way} by {told}{own}; write it as `tidecast hpa` does"
    )


def _tolerances(hpa: LiveHpa, minor: int) -> Iterator[Finding]:
    if minor < TOLERANT_MINOR:
        return
    for direction, rules in (("scaleUp", hpa.behavior.up), ("scaleDown", hpa.behavior.down)):
        if rules.tolerance != 0:
            share = "10 % (the controller's)" if rules.tolerance is None else f"{rules.tolerance * 100:.4g} %"
            yield Finding(
                "stacked",
                f"spec.behavior.{direction}.tolerance",
                f'a change of up to {share} is never followed; write "0"',
            )
