"""OpenAPI v2 and v3 of the metrics APIs, as kube-aggregator merges them into the cluster's own.

Formats: https://spec.openapis.org/oas/v2.0, https://spec.openapis.org/oas/v3.0.0; the index of v3 and the
`x-kubernetes-` extensions: https://github.com/kubernetes/kube-openapi. Types: https://github.com/kubernetes/metrics.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from adapter.api.negotiation import JSON
from adapter.api.paths import CUSTOM, KINDS, VERSIONS
from adapter.api.status import Json

_TEXT: Json = {"type": "string"}
_OBJECT: Json = {
    "description": "what the metric is about",
    "type": "object",
    "properties": dict.fromkeys(("apiVersion", "kind", "namespace", "name"), _TEXT),
}
_SELECTOR: Json = {"description": "of the series that the value was made from", "type": "object"}
_WINDOW: Json = {
    "description": "seconds that the value was averaged over",
    "type": "integer",
    "format": "int64",
}
_MEASURED: Json = {
    "timestamp": {"description": "when it was measured", "type": "string", "format": "date-time"},
    "value": {"description": "a Kubernetes quantity like 1500m, 2 or 20k", "type": "string"},
}
_NAMED: Json = {"metricName": _TEXT, "window": _WINDOW}
_METRIC: Json = {"type": "object", "properties": {"name": _TEXT, "selector": _SELECTOR}, "required": ["name"]}
_V1BETA1: Json = {"describedObject": _OBJECT, **_NAMED, "selector": _SELECTOR, **_MEASURED}
_V1BETA2: Json = {"describedObject": _OBJECT, "metric": _METRIC, "windowSeconds": _WINDOW, **_MEASURED}
_LABELLED: Json = {"metricLabels": {"type": "object", "additionalProperties": _TEXT}, **_NAMED, **_MEASURED}
_OPTIONAL = {"window", "windowSeconds", "selector"}

_OF_CUSTOM = {
    "Object": "namespaces/{namespace}/{resource}/{name}/{metric}",
    "Namespace": "namespaces/{namespace}/metrics/{metric}",
    "RootScoped": "{resource}/{name}/{metric}",
}
_OF_EXTERNAL = {"External": "namespaces/{namespace}/{metric}"}
_QUERY = {
    "labelSelector": "which of the objects, or of the series of an External metric; all without one",
    "metricLabelSelector": "which series of the metric; all without one",
}


def v2(number: str) -> Json:
    """All groups in one document; `number` is the program's version."""
    versions = [(group, version) for group, several in VERSIONS.items() for version in several]
    paths: Json = {}
    for one in versions:
        parameters = _parameters(one[0], lambda schema: schema)
        content = {"schema": _reference("#/definitions/", *one)}
        paths |= _paths(*one, parameters, {"produces": [JSON]}, content)
    definitions = {
        name: schema for one in versions for name, schema in _schemas("#/definitions/", *one).items()
    }
    return {"swagger": "2.0", "info": _info(number), "paths": paths, "definitions": definitions}


def v3(group: str, version: str, number: str) -> Json:
    """The document of a group's version."""
    place = "#/components/schemas/"
    parameters = _parameters(group, lambda schema: {"schema": schema})
    content = {"content": {JSON: {"schema": _reference(place, group, version)}}}
    return {
        "openapi": "3.0.0",
        "info": _info(number),
        "paths": _paths(group, version, parameters, {}, content),
        "components": {"schemas": _schemas(place, group, version)},
    }


def index(tags: Mapping[str, str]) -> Json:
    """Where the documents of v3 are; `tags`: by apis/GROUP/VERSION the tag of its document."""
    return {
        "paths": {
            name: {"serverRelativeURL": f"/openapi/v3/{name}?{urlencode({'hash': tag})}"}
            for name, tag in tags.items()
        }
    }


def _info(number: str) -> Json:
    return {"title": "tidecast", "version": number}


def _paths(group: str, version: str, parameters: Mapping[str, Json], head: Json, content: Json) -> Json:
    paths: Json = {}
    short = group.split(".")[0]
    for about, path in (_OF_CUSTOM if group == CUSTOM else _OF_EXTERNAL).items():
        in_path = re.findall(r"{(\w+)}", path)
        paths[f"/apis/{group}/{version}/{path}"] = {
            "get": head
            | {
                "description": f"the values of a metric ({about})",
                "operationId": f"list{short.capitalize()}{version.capitalize()}{about}Metric",
                "tags": [f"{short}Metrics_{version}"],
                "parameters": [one for one in parameters.values() if one["in"] == "query"],
                "responses": {"200": {"description": "OK"} | content},
                "x-kubernetes-action": "list",
                "x-kubernetes-group-version-kind": _group_version_kind(group, version),
            },
            "parameters": [parameters[name] for name in in_path],
        }
    return paths


def _parameters(group: str, of_type: Any) -> Mapping[str, Json]:
    """By name; `of_type` says of a parameter of which type it is, as v2 and v3 do."""
    names = ("namespace", "resource", "name", "metric")
    in_path = {one: {"name": one, "in": "path", "required": True} | of_type(_TEXT) for one in names}
    query = {
        name: {"name": name, "in": "query", "description": text} | of_type(_TEXT)
        for name, text in _QUERY.items()
    }
    if group != CUSTOM:
        del query["metricLabelSelector"]
    return in_path | query


def _schemas(place: str, group: str, version: str) -> Json:
    """The list and its items; `place` is where references lead."""
    name = _name(group, version)
    fields = _LABELLED if group != CUSTOM else _V1BETA1 if version == "v1beta1" else _V1BETA2
    listed = {"type": "array", "items": {"$ref": place + name}}
    whole: Json = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}, "items": listed}
    kind = {"x-kubernetes-group-version-kind": [_group_version_kind(group, version)]}
    return {
        f"{name}List": _schema("values of a metric", whole, ["items"]) | kind,
        name: _schema("a value of a metric", fields, sorted(set(fields) - _OPTIONAL)),
    }


def _schema(text: str, fields: Json, required: Iterable[str]) -> Json:
    return {"description": text, "type": "object", "properties": fields, "required": list(required)}


def _reference(place: str, group: str, version: str) -> Json:
    return {"$ref": f"{place}{_name(group, version)}List"}


def _name(group: str, version: str) -> str:
    """Of an item's schema, as Kubernetes names it."""
    package = group.removesuffix(".metrics.k8s.io") + "_metrics"
    return f"io.k8s.metrics.pkg.apis.{package}.{version}.{KINDS[group].removesuffix('List')}"


def _group_version_kind(group: str, version: str) -> Json:
    return {"group": group, "version": version, "kind": KINDS[group]}
