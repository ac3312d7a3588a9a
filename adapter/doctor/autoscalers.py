"""Policies: whether their metrics are answered, whether their HPAs fit, and who else scales their targets."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from adapter.api.paths import CUSTOM, EXTERNAL
from adapter.autoscaler.compare import compare
from adapter.autoscaler.live import LiveHpa
from adapter.autoscaler.manifest import minor_of, needed
from adapter.catalog import Entry
from adapter.doctor.facts import Asked, Facts, Finding, Json, Level
from adapter.metrics import REPLICAS_SCALING, REPLICAS_SCHEDULE
from adapter.registration.rule import ApiService
from cme.core.errors import InvalidInput, TidecastError
from cme.core.policy import ScalingPolicy

_LEVELS: Mapping[str, Level] = {"missing": "warning", "wrong": "error", "stacked": "warning"}


def metric_paths(policies: Sequence[ScalingPolicy], ours: Sequence[ApiService]) -> Iterator[str]:
    """Where the HPAs of policies ask: the custom group, else the external one; none while neither is ours."""
    groups = {one.group for one in ours}
    for policy in policies:
        root, workload = f"namespaces/{policy.metadata.namespace}", policy.workload
        labels = ",".join(f"{key}={value}" for key, value in Entry.of(policy).labels.items())
        for metric in needed(policy):
            if CUSTOM in groups:
                yield f"/apis/{CUSTOM}/v1beta2/{root}/{workload.resource}/{workload.name}/{metric}"
            elif EXTERNAL in groups:
                yield f"/apis/{EXTERNAL}/v1beta1/{root}/{metric}?labelSelector={quote(labels)}"


def check_policies(asked: Asked, facts: Facts) -> Iterator[Finding]:
    yield Finding("ok", "policies", f"all valid, {len(asked.policies)}")
    for path, value in facts.values.items():
        yield _value(path, value)
    yield from _hpas(asked, facts)
    yield from _keda(asked, facts)
    yield from _vertical(asked, facts)


def _value(path: str, value: str | TidecastError) -> Finding:
    if isinstance(value, TidecastError):
        return Finding("error", "metric", f"{value}: its HPA keeps the size")
    return Finding("ok", "metric", f"{path} is {value}")


def _hpas(asked: Asked, facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.hpas, TidecastError):
        yield Finding("warning", "HPA", f"they are not known: {facts.hpas}")
        return
    try:
        minor = minor_of(facts.version)
    except InvalidInput:
        return  # the version has a finding of its own
    for policy in asked.policies:
        found = compare(policy, facts.hpas, minor)
        for one in found:
            yield Finding(_LEVELS[one.rule], "HPA", f"{policy.key}: {one}")
        if not found:
            yield Finding("ok", "HPA", f"{policy.key}: fits")
    for hpa in facts.hpas:
        if _asks_us(hpa) and not any(hpa.scales(policy) for policy in asked.policies):
            name = f"{hpa.metadata.namespace}/{hpa.metadata.name}"
            told = f"{name} asks for a decision on a target that no policy is about, and keeps its size"
            yield Finding("warning", "HPA", f"{told}; write a policy, or take the metric out")


def _asks_us(hpa: LiveHpa) -> bool:
    """By the metrics that every policy's workload has."""
    names = {metric.source.metric.name for metric in hpa.spec.metrics if metric.source}
    return bool(names & {REPLICAS_SCALING, REPLICAS_SCHEDULE})


def _keda(asked: Asked, facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.scaled_objects, TidecastError):
        yield Finding("warning", "KEDA", f"its ScaledObjects are not known: {facts.scaled_objects}")
        return
    for policy, one in _on_targets(asked, facts.scaled_objects, "scaleTargetRef"):
        told = f"{policy.key}: the ScaledObject {one['metadata']['name']} scales {policy.workload}, too"
        yield Finding("error", "KEDA", f"{told}: its HPA and the policy's work against each other; keep one")


def _vertical(asked: Asked, facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.vertical, TidecastError):
        yield Finding("warning", "VPA", f"they are not known: {facts.vertical}")
        return
    for policy, one in _on_targets(asked, facts.vertical, "targetRef"):
        if (one["spec"].get("updatePolicy") or {}).get("updateMode", "Auto") != "Off":
            told = f"{policy.key}: {one['metadata']['name']} resizes the pods of {policy.workload}"
            yield Finding(
                "warning", "VPA", f"{told}, so that perReplica is no constant; set its updateMode to Off"
            )


def _on_targets(asked: Asked, objects: Sequence[Json], field: str) -> Iterator[tuple[ScalingPolicy, Json]]:
    """Policies and those of the objects whose field refers to the same workload; KEDA's default kind is Deployment."""
    for one in objects:
        ref, namespace = one["spec"].get(field) or {}, one["metadata"]["namespace"]
        group = ref.get("apiVersion", "apps/v1").rpartition("/")[0]
        target = (namespace, group, ref.get("kind", "Deployment"), ref.get("name"))
        for policy in asked.policies:
            workload = policy.workload
            if target == (workload.namespace, workload.group, workload.kind, workload.name):
                yield policy, one
