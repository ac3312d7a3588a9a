"""The CustomResourceDefinition of deploy/ is that of the models, structural and described."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cme.policies.manifest import definition, text

FILE = Path(__file__).parents[4] / "deploy" / "base" / "scalingpolicies.yaml"
SPEC = definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def nodes(path: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(f"{path}.{name}", child)
    if "items" in node:
        yield from nodes(f"{path}[]", node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        yield from nodes(f"{path}.*", node["additionalProperties"])


def test_the_file_is_what_the_models_make() -> None:
    assert FILE.read_text() == text(), (
        "write it anew: python -m cme.policies.manifest > deploy/base/scalingpolicies.yaml"
    )


def test_every_field_is_described() -> None:
    silent = [
        path
        for path, node in nodes("spec", SPEC)
        if not path.endswith(("[]", "*")) and not node.get("description")
    ]
    assert not silent


def test_it_is_structural() -> None:
    for path, node in nodes("spec", SPEC):
        assert ("type" in node) != node.get("x-kubernetes-int-or-string", False), path
        assert not node.keys() & {"$ref", "anyOf", "oneOf", "allOf", "default", "const", "uniqueItems"}, path
        assert not ("properties" in node and "additionalProperties" in node), path


def test_what_the_models_demand_is_demanded() -> None:
    signal = SPEC["properties"]["signals"]["items"]
    assert set(signal["required"]) == {"name", "source", "perReplica"}
    source = signal["properties"]["source"]
    assert (source["minProperties"], source["maxProperties"]) == (1, 1)
    assert set(source["properties"]) == {"prometheus", "scrape", "kafka", "host", "demo"}
    schedule = SPEC["properties"]["schedules"]
    assert schedule["x-kubernetes-list-map-keys"] == ["name"]
    assert {
        "rule": "has(self.duration) != has(self.end)",
        "message": "give either duration or end",
    } in schedule["items"]["x-kubernetes-validations"]
