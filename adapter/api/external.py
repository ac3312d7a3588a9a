"""external.metrics.k8s.io: the same metrics, found by labels instead of by object."""

from collections.abc import Mapping

from adapter.answers import Answers
from adapter.api.options import read_options
from adapter.api.paths import EXTERNAL, ExternalMetric
from adapter.api.status import ApiError, Json
from adapter.api.values import rfc3339
from adapter.catalog import Entry
from adapter.metrics import metric_names
from adapter.view import View
from cme.core.quantity import format_quantity


def answer(asked: ExternalMetric, query: Mapping[str, str], view: View, answers: Answers) -> Json:
    """An ExternalMetricValueList of exactly one item, for the HPA sums whatever it gets.

    Raises ApiError, NotServed.
    """
    selector = read_options(query).objects
    offered = [e for e in view.catalog.within(asked.namespace) if asked.metric in metric_names(e.signals)]
    entry = _only([e for e in offered if selector(e.labels)], asked, len(offered))
    served = answers.metric(entry, asked.metric)
    item = {
        "metricName": asked.metric,
        "metricLabels": entry.labels,
        "timestamp": rfc3339(served.timestamp_ms),
        "window": served.window_s,
        "value": format_quantity(served.milli),
    }
    return {
        "kind": "ExternalMetricValueList",
        "apiVersion": f"{EXTERNAL}/v1beta1",
        "metadata": {},
        "items": [item],
    }


def _only(found: list[Entry], asked: ExternalMetric, offered: int) -> Entry:
    if len(found) == 1:
        return found[0]
    if not found:
        raise ApiError(
            404,
            f"no workload in namespace {asked.namespace} has the metric {asked.metric}"
            + (f" and the labels of the selector; {offered} have the metric" if offered else ""),
        )
    names = ", ".join(e.workload.name for e in found[:5])
    raise ApiError(
        400,
        f"{len(found)} workloads match ({names}) and the HPA would sum them; "
        "add tidecast.dev/workload to the metric's selector",
    )
