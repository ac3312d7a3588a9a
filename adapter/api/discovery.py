"""What there is to ask for. Depends on nothing but the catalog, so that discovery works in every state."""

from adapter.api.paths import CUSTOM, VERSIONS
from adapter.api.status import Json
from adapter.metrics import REPLICAS_SCHEDULE, Form, metric_names, parse_metric
from adapter.view import View

MAX_RESOURCES = 500
"""Larger lists help nobody: no client needs a metric to be listed."""


def groups() -> Json:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(name) for name in VERSIONS]}


def group(name: str) -> Json:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in VERSIONS[name]]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": versions,
        "preferredVersion": versions[0],
    }


def resources(name: str, version: str, view: View) -> Json:
    """The metrics of a group's version, at most MAX_RESOURCES."""
    names = _custom(view) if name == CUSTOM else _external(view)
    kind = "MetricValueList" if name == CUSTOM else "ExternalMetricValueList"
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}",
        "resources": [
            {"name": one, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get"]}
            for one in sorted(names)[:MAX_RESOURCES]
        ],
    }


def _custom(view: View) -> set[str]:
    names = {
        f"{e.workload.resource}/{metric}" for e in view.catalog.entries for metric in metric_names(e.signals)
    }
    for entry in view.catalog.entries:
        for metric in metric_names(entry.signals):
            if metric == REPLICAS_SCHEDULE or parse_metric(metric)[1] in (Form.PREDICTED, Form.SCALING):
                names.add(f"pods/{metric}")
    return names


def _external(view: View) -> set[str]:
    return {metric for entry in view.catalog.entries for metric in metric_names(entry.signals)}
