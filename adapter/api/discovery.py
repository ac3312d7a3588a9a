"""What there is to ask for. Depends on nothing but the catalog, so that discovery works in every state."""

from collections.abc import Iterable, Mapping

from adapter.api.paths import CUSTOM, KINDS, NAMESPACES, VERSIONS
from adapter.api.status import Json
from adapter.catalog import Catalog
from adapter.metrics import REPLICAS_SCHEDULE, Form, metric_names, parse_metric

MAX_RESOURCES = 500
"""Larger lists help nobody: no client needs a metric to be listed."""

OF_NAMESPACE = f"{NAMESPACES}/"
"""What the names of a Namespace's metrics begin with; no external metric's name holds a slash."""

AGGREGATED = ("v2", "v2beta1")
"""Versions of apidiscovery.k8s.io; control planes up to 1.29 know the older one only."""


def groups() -> Json:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in VERSIONS]}


def group(name: str) -> Json:
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name)


def resources(name: str, version: str, catalog: Catalog) -> Json:
    """The metrics of a group's version, at most MAX_RESOURCES."""
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}",
        "resources": [
            {
                "name": listed,
                "singularName": "",
                "namespaced": not listed.startswith(OF_NAMESPACE),
                "kind": KINDS[name],
                "verbs": ["get"],
            }
            for listed in _names(name, catalog)
        ],
    }


def aggregated(version: str, catalog: Catalog) -> Json:
    """All groups in one document, as kube-aggregator and kubectl prefer it; it lists what `resources` lists."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name},
                "versions": [
                    {
                        "version": one,
                        "resources": _aggregated(name, one, _names(name, catalog)),
                        "freshness": "Current",
                    }
                    for one in versions
                ],
            }
            for name, versions in VERSIONS.items()
        ],
    }


def _group(name: str) -> Json:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in VERSIONS[name]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _aggregated(name: str, version: str, names: Iterable[str]) -> list[Json]:
    """A metric of an object's is a subresource; the object itself can't be read here, hence its empty kind."""
    kind = {"group": name, "version": version, "kind": KINDS[name]}
    if name != CUSTOM:
        return [_resource(one, kind, ["get"]) for one in names]
    parents: dict[str, Json] = {}
    for one in names:
        resource, _, metric = one.partition("/")
        parent = parents.setdefault(resource, _resource(resource, dict.fromkeys(kind, ""), []))
        if one.startswith(OF_NAMESPACE):
            parent["scope"] = "Cluster"
        part = {"subresource": metric, "responseKind": kind, "verbs": ["get"]}
        parent.setdefault("subresources", []).append(part)
    return list(parents.values())


def _resource(name: str, kind: Mapping[str, str], verbs: list[str]) -> Json:
    """`responseKind` may be empty but never null: clients up to 0.26.3 break on it (kubernetes#118361)."""
    return {
        "resource": name,
        "responseKind": kind,
        "scope": "Namespaced",
        "singularResource": "",
        "verbs": verbs,
    }


def _names(name: str, catalog: Catalog) -> list[str]:
    found = _custom(catalog) if name == CUSTOM else _external(catalog)
    return sorted(found)[:MAX_RESOURCES]


def _custom(catalog: Catalog) -> set[str]:
    names = {f"{e.resource}/{metric}" for e in catalog.entries for metric in metric_names(e.signals)}
    for entry in catalog.entries:
        for metric in metric_names(entry.signals):
            if metric == REPLICAS_SCHEDULE or parse_metric(metric)[1] in (Form.PREDICTED, Form.SCALING):
                names.add(f"pods/{metric}")
        names |= {f"{OF_NAMESPACE}{signal}" for signal in entry.signals}
    return names


def _external(catalog: Catalog) -> set[str]:
    return {metric for entry in catalog.entries for metric in metric_names(entry.signals)}
