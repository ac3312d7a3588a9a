"""custom.metrics.k8s.io: metrics of the scaled workload, shares of it for its pods, and sums over a Namespace."""

from collections.abc import Mapping, Sequence

from adapter.answers import Answers, Served
from adapter.api.options import Options, read_options
from adapter.api.paths import CUSTOM, NAMESPACES, ObjectMetric
from adapter.api.selectors import Selector, everything
from adapter.api.status import ApiError, Json
from adapter.api.values import rfc3339
from adapter.catalog import Entry
from adapter.metrics import REPLICAS_SCHEDULE, Form, metric_names, parse_metric
from adapter.view import View
from cme.core.quantity import format_quantity

OF_PODS = (Form.PREDICTED, Form.SCALING)
"""Forms that have a meaning when split over pods; S_per_replica is split already."""


def answer(asked: ObjectMetric, query: Mapping[str, str], view: View, answers: Answers) -> Json:
    """A MetricValueList. Raises ApiError, NotServed."""
    options = read_options(query, asked.name)
    if asked.resource in ("pods", "pod") and asked.namespace:
        items = _pods(asked, options, view, answers)
    elif asked.resource == NAMESPACES and not asked.namespace:
        items = [_of_namespace(asked, options, view, answers)]
    else:
        items = _objects(asked, options, view, answers)
    return {
        "kind": "MetricValueList",
        "apiVersion": f"{CUSTOM}/{asked.version}",
        "metadata": {},
        "items": items,
    }


def _objects(asked: ObjectMetric, options: Options, view: View, answers: Answers) -> list[Json]:
    """One for the name of the path, all of a kind that the selector selects for `*`."""
    found = _workloads(asked, view)
    if asked.name == "*" and options.objects is not everything:
        found = _selected(found, asked, options.objects, answers)
    return [
        _item(asked, options, _reference(e), answers.metric(e, asked.metric))
        for e in _matching(found, options.series, asked.metric)
    ]


def _selected(
    found: Sequence[Entry], asked: ObjectMetric, selector: Selector, answers: Answers
) -> Sequence[Entry]:
    """Those whose own labels fulfil the selector; at least one. Where those of any are not known there is no answer: a list
    would lack it silently."""
    selected = [e for e in found if selector(answers.labels(e, asked.metric))]
    if not selected:
        raise ApiError(
            404,
            f"there is no metric {asked.metric} for {asked.resource} * in namespace {asked.namespace}: "
            f"of the {len(found)} that have it none has the labels of the selector",
        )
    return selected


def _of_namespace(asked: ObjectMetric, options: Options, view: View, answers: Answers) -> Json:
    """What is measured of a signal in a whole Namespace."""
    within = [e for e in view.catalog.within(asked.name) if asked.metric in e.signals]
    if not within:
        raise ApiError(
            404,
            f"there is no metric {asked.metric} for Namespace {asked.name}: it has the measured signals of its "
            "workloads with a ScalingPolicy, and none of them has this one",
        )
    described = {"kind": "Namespace", "name": asked.name, "apiVersion": "v1"}
    served = answers.total(_matching(within, options.series, asked.metric), asked.metric)
    return _item(asked, options, described, served)


def _workloads(asked: ObjectMetric, view: View) -> Sequence[Entry]:
    """The workloads that the path names; at least one."""
    if asked.name == "*":
        found = [e for e in view.catalog.within(asked.namespace) if asked.resource in e.resources]
        found = [e for e in found if asked.metric in metric_names(e.signals)]
    else:
        entry = view.catalog.find(asked.namespace, asked.resource, asked.name)
        found = [entry] if entry else []
    if not found:
        place = f"in namespace {asked.namespace}" if asked.namespace else "without a namespace"
        raise ApiError(
            404,
            f"there is no metric {asked.metric} for {asked.resource} {asked.name} {place}: "
            "no ScalingPolicy has it as its targetRef",
        )
    return found


def _matching(found: Sequence[Entry], series: Selector, metric: str) -> Sequence[Entry]:
    """Those whose labels fulfil the metric's selector; at least one."""
    matching = [e for e in found if series(e.labels)]
    if not matching:
        first = found[0]
        raise ApiError(
            404,
            f"{metric} of {first.workload} does not match the metric's selector; its labels are {first.labels}",
        )
    return matching


def _pods(asked: ObjectMetric, options: Options, view: View, answers: Answers) -> list[Json]:
    """Exact shares of the workload's value over its ready pods that stay, in the order of their names."""
    items: list[Json] = []
    unknown: list[str] = []
    for entry in view.catalog.within(asked.namespace):
        if not options.series(entry.labels):
            continue
        pods = view.pods.get(entry.replicas_id)
        if pods is None:
            unknown.append(str(entry.workload))
            continue
        wanted = [n for n in pods.names if _wants(asked.name, options, n, pods.labels[n])]
        if not wanted:
            continue
        _require_shareable(entry, asked.metric)
        shares = answers.shares(entry, asked.metric)
        for name in filter(shares.__contains__, wanted):
            described = {"kind": "Pod", "namespace": asked.namespace, "name": name, "apiVersion": "v1"}
            items.append(_item(asked, options, described, shares[name]))
    if not items and unknown:
        raise ApiError(503, f"the pods of {unknown[0]} are not known; does the cluster answer tidecast?")
    if not items:
        raise ApiError(
            404,
            f"there is no metric {asked.metric} for pods in namespace {asked.namespace}: "
            "no running and ready pod of a workload with a ScalingPolicy matches",
        )
    return sorted(items, key=lambda item: str(item["describedObject"]["name"]))


def _wants(asked: str, options: Options, name: str, labels: Mapping[str, str]) -> bool:
    """The selector says which of all; who names one means that one."""
    return options.objects(labels) if asked == "*" else asked == name


def _require_shareable(entry: Entry, metric: str) -> None:
    signal, form = parse_metric(metric)
    known = metric in metric_names(entry.signals)
    if known and form not in OF_PODS and metric != REPLICAS_SCHEDULE:
        raise ApiError(
            404,
            f"{metric} is measured for {entry.workload} as a whole, not per pod; use it as an Object metric, "
            f"or {signal}_scaling as a Pods metric",
        )


def _reference(entry: Entry) -> Json:
    """describedObject: what the metric is about."""
    workload = entry.workload
    return {
        "kind": workload.kind,
        "namespace": workload.namespace,
        "name": workload.name,
        "apiVersion": entry.policy.spec.target_ref.api_version,
    }


def _item(asked: ObjectMetric, options: Options, described: Json, served: Served) -> Json:
    """A MetricValue in the form of its version, with the selector of its series as it was asked."""
    item: Json = {"describedObject": described, "timestamp": rfc3339(served.timestamp_ms)}
    value = format_quantity(served.milli)
    if asked.version == "v1beta1":
        named = {"metricName": asked.metric, "window": served.window_s, "value": value}
        return item | named | {"selector": options.echo}
    return item | {
        "metric": {"name": asked.metric, "selector": options.echo},
        "windowSeconds": served.window_s,
        "value": value,
    }
