"""OpenAPI describes what is answered: its fields are those of real answers."""

from typing import Any

import pytest

from adapter.api import custom, external, openapi
from adapter.api.paths import CUSTOM, EXTERNAL, VERSIONS, ExternalMetric, ObjectMetric
from adapter.api.status import Json
from tests.unit.adapter.stage import Stage, policy

WEB = policy("web")
GROUP_VERSIONS = [(group, version) for group, versions in VERSIONS.items() for version in versions]


def answered(group: str, version: str) -> Json:
    stage = Stage(WEB)
    stage.measure(WEB, qps=250.0, queue_backlog=60.0)
    if group == EXTERNAL:
        return external.answer(ExternalMetric("shop", "qps"), {}, stage.view, stage.answers)
    asked = ObjectMetric(version, "shop", "deployments.apps", "web", "qps")
    return custom.answer(asked, {}, stage.view, stage.answers)


def resolved(document: Json, schema: Json) -> Any:
    """The schema that a reference leads to."""
    place: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        place = place[part]
    return place


@pytest.mark.parametrize(("group", "version"), GROUP_VERSIONS)
def test_the_fields_are_those_of_an_answer(group: str, version: str) -> None:
    document, answer = openapi.v3(group, version, "1.2.3"), answered(group, version)
    path = next(path for path in document["paths"] if "{namespace}" in path)
    content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    whole = resolved(document, content["schema"])
    assert set(whole["properties"]) == set(answer)
    (kind,) = whole["x-kubernetes-group-version-kind"]
    assert (f"{kind['group']}/{kind['version']}", kind["kind"]) == (answer["apiVersion"], answer["kind"])
    item = resolved(document, whole["properties"]["items"]["items"])
    assert set(item["properties"]) == set(answer["items"][0])
    assert set(item["required"]) < set(item["properties"])


def test_every_path_names_its_parameters() -> None:
    documents = [openapi.v2("1.2.3"), *(openapi.v3(*one, "1.2.3") for one in GROUP_VERSIONS)]
    for path, item in (pair for document in documents for pair in document["paths"].items()):
        named = {parameter["name"] for parameter in item["parameters"]}
        assert named == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
        query = {parameter["name"] for parameter in item["get"]["parameters"]}
        assert query == {"labelSelector"} | ({"metricLabelSelector"} if CUSTOM in path else set())


def test_an_operation_has_a_name_of_its_own() -> None:
    names = [item["get"]["operationId"] for item in openapi.v2("1.2.3")["paths"].values()]
    assert len(names) == len(set(names)) == 7
