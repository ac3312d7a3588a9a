"""The CustomResourceDefinition of ScalingPolicy, made of the models: `python -m cme.policies.manifest`.

Its schema is structural (Kubernetes: "Specifying a structural schema") and refuses at the door what it can; the models
refuse the rest, as the object's status says. Descriptions are those of the models: `kubectl explain` shows them.
"""

import sys
from collections.abc import Mapping
from typing import Any

import yaml

from cme.core.policy import Spec
from cme.policies.objects import GROUP, PLURAL, VERSION
from cme.policies.status import CONDITIONS
from cme.sources.registry import KINDS

HEADER = "# Made by `python -m cme.policies.manifest` of the models in cme/core/policy.py; a test holds the two together.\n"

_KEPT = ("type", "description", "pattern", "enum", "format", "minimum", "maximum", "required")
_LENGTHS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_ORDERED = "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas"
_DOORS: Mapping[str, Mapping[str, str]] = {
    "Forecast": {
        "[has(self.quantile), has(self.cost), has(self.slo)].filter(given, given).size() <= 1": (
            "give one of quantile, cost and slo"
        )
    },
    "ReplicaLimits": {_ORDERED: "minReplicas is more than maxReplicas"},
    "Schedule": {
        "has(self.minReplicas) || has(self.maxReplicas)": (
            "a schedule needs minReplicas, maxReplicas or both"
        ),
        _ORDERED: "minReplicas is more than maxReplicas",
        "has(self.duration) != has(self.end)": "give either duration or end",
        "!has(self.ramp) || (has(self.minReplicas) && self.minReplicas > 0)": (
            "a ramp needs minReplicas to rise to"
        ),
    },
}
"""By model the rules (CEL) that hold between its fields, each with what is told of a breach."""

_UNIQUE = {"signals": "name", "schedules": "name"}
"""Lists whose items are told apart by a field."""

Json = dict[str, Any]


def definition() -> Json:
    """The whole CustomResourceDefinition."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": "ScalingPolicy",
                "plural": PLURAL,
                "singular": "scalingpolicy",
                "shortNames": ["scp"],
            },
            "versions": [_version()],
        },
    }


def _version() -> Json:
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": structural(Spec.model_json_schema(by_alias=True)),
        "status": _status(),
    }
    schema = {
        "type": "object",
        "description": "What one workload measures, forecasts and serves to its autoscaler.",
        "required": ["spec"],
        "properties": properties,
    }
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _columns(),
        "schema": {"openAPIV3Schema": schema},
    }


def structural(schema: Json) -> Json:
    """A model's JSON schema as Kubernetes wants it: no references, no unions, no default values."""
    made = _node(schema, schema.get("$defs", {}))
    source = made["properties"]["signals"]["items"]["properties"]["source"]
    kinds = {
        kind.name: _node(spec, spec.get("$defs", {}))
        for kind in KINDS.values()
        for spec in [kind.spec.model_json_schema(by_alias=True)]
    }
    source.update({"properties": kinds, "minProperties": 1, "maxProperties": 1})
    return made


def _node(schema: Json, definitions: Mapping[str, Json]) -> Json:
    """One node and all below it."""
    whole = _resolved(schema, definitions)
    made = {name: whole[name] for name in (*_KEPT, *_LENGTHS) if name in whole}
    if whole.get("type") == ["integer", "string"]:  # a quantity
        del made["type"]
        made["x-kubernetes-int-or-string"] = True
    if "exclusiveMinimum" in whole:  # a flag in OpenAPI 3.0
        made |= {"minimum": whole["exclusiveMinimum"], "exclusiveMinimum": True}
    if "const" in whole:
        made["enum"] = [whole["const"]]
    if "items" in whole:
        made["items"] = _node(whole["items"], definitions)
    if "properties" in whole:
        made["properties"] = {name: _node(one, definitions) for name, one in whole["properties"].items()}
        for name in _UNIQUE.keys() & made["properties"].keys():
            list_type = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [_UNIQUE[name]]}
            made["properties"][name].update(list_type)
    elif isinstance(whole.get("additionalProperties"), dict):
        made["additionalProperties"] = _node(whole["additionalProperties"], definitions)
    if rules := _DOORS.get(whole.get("title", "")):
        made["x-kubernetes-validations"] = [{"rule": rule, "message": told} for rule, told in rules.items()]
    return made


def _resolved(schema: Json, definitions: Mapping[str, Json]) -> Json:
    """What a reference or an optional field stands for, described by the field rather than by its model."""
    (meant,) = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    if "$ref" in meant:
        meant = definitions[meant["$ref"].rpartition("/")[2]]
    resolved: Json = dict(meant)
    if "description" in schema:
        resolved["description"] = schema["description"]
    return resolved


def _status() -> Json:
    words = {"type": "string"}
    condition = {
        "type": "object",
        "required": ["type", "status", "reason", "message", "lastTransitionTime"],
        "properties": {
            "type": words,
            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "reason": words,
            "message": words,
            "lastTransitionTime": {"type": "string", "format": "date-time"},
            "observedGeneration": {"type": "integer", "format": "int64"},
        },
    }
    return {
        "type": "object",
        "description": "What tidecast makes of it.",
        "properties": {
            "observedGeneration": {
                "type": "integer",
                "format": "int64",
                "description": "The generation that the conditions are of.",
            },
            "replicas": {
                "type": "integer",
                "format": "int64",
                "description": "What is served as replicas_scaling.",
            },
            "reasons": words | {"description": "Why so many, in the words of docs/policies.md."},
            "decidedAt": {"type": "string", "format": "date-time", "description": "When."},
            "conditions": {
                "type": "array",
                "description": f"{', '.join(CONDITIONS)}.",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": condition,
            },
        },
    }


def _columns() -> list[Json]:
    def condition(name: str) -> str:
        return f'.status.conditions[?(@.type=="{name}")].status'

    columns = {
        "Workload": (".spec.targetRef.name", "string"),
        "Replicas": (".status.replicas", "integer"),
        "Why": (".status.reasons", "string"),
        **{name: (condition(name), "string") for name in CONDITIONS},
        "Age": (".metadata.creationTimestamp", "date"),
    }
    return [{"name": name, "type": kind, "jsonPath": path} for name, (path, kind) in columns.items()]


def text() -> str:
    """The manifest as deploy/ has it."""
    return HEADER + yaml.safe_dump(definition(), sort_keys=False, width=110)


if __name__ == "__main__":
    sys.stdout.write(text())
