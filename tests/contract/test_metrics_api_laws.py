"""Each law of the kit can fail: an answer that is not as the contract has it is found, and by the request it is meant for."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.contract.conftest import TOLD
from tests.contract.metrics_api.cases import CASES
from tests.contract.metrics_api.client import Answer, Client
from tests.contract.metrics_api.differences import failures
from tests.contract.metrics_api.found import find, told
from tests.contract.metrics_api.verdicts import run, summary

Alter = Callable[[Answer], Answer]


@dataclass(frozen=True)
class Altered(Client):
    """A client whose answers come out other than the server gave them."""

    alter: Alter = lambda answer: answer

    def ask(self, *args: Any, **options: Any) -> Answer:
        return self.alter(super().ask(*args, **options))


def text(old: str, new: str, count: int = 0) -> Alter:
    """Replaces what a pattern matches in every body."""
    return lambda answer: replace(answer, body=re.sub(old.encode(), new.encode(), answer.body, count=count))


def header(name: str, value: str, status: int = 200) -> Alter:
    """Sets a header of the answers with that status."""
    return lambda a: replace(a, headers={**a.headers, name: value}) if a.status == status else a


def code(old: int, new: int) -> Alter:
    return lambda answer: replace(answer, status=new) if answer.status == old else answer


def items(change: Callable[[list[Any]], list[Any]]) -> Alter:
    """Changes the list of items where there is one."""

    def alter(answer: Answer) -> Answer:
        document = json.loads(answer.body) if answer.body[:1] == b"{" else {}
        if "items" not in document:
            return answer
        return replace(answer, body=json.dumps(document | {"items": change(document["items"])}).encode())

    return alter


def counted() -> Alter:
    """Messages that are never the same."""
    numbers = iter(range(10**6))
    return lambda answer: text(r'"message": "', f'"message": "{next(numbers)} ')(answer)


@pytest.mark.parametrize(
    ("alter", "case"),
    [
        (text('"250250m"', '"250.25"'), "object"),
        (text('"250250m"', '"250000m"'), "object"),
        (text('"250250m"', "250.25"), "object"),
        (text(r'"timestamp": "\d+', '"timestamp": "2999'), "object"),
        (text(r'Z"', '.5Z"'), "object"),
        (text(r'"(window|windowSeconds)": \d+', '"other": 1'), "object/window"),
        (text(r'"(window|windowSeconds)": \d+', r'"\1": -1'), "external"),
        (text('"apiVersion": "v1"', '"apiVersion": "/v1"'), "pods/api-version"),
        (text('"namespace": "shop"', '"namespace": "other"'), "object"),
        (text('"kind": "MetricValueList"', '"kind": "List"'), "object"),
        (text('"kind": "ExternalMetricValueList"', '"kind": "List"'), "external"),
        (text('"metricName"', '"name"'), "external"),
        (text(', "selector": null', ""), "object"),
        (items(lambda found: found[:1]), "object/all/selector/one"),
        (text('"DoesNotExist"', '"Exists"'), "object/series"),
        (text('"selector": null', '"selector": {}'), "object/series/none"),
        (items(lambda found: []), "pods"),
        (items(lambda found: found * 2), "object"),
        (items(lambda found: found[::-1]), "pods"),
        (text('"message": "[^"]*"', '"message": ""'), "unknown/metric"),
        (text('"message": "[^"]*"', '"message": "no"'), "unknown/metric"),
        (counted(), "unknown/object"),
        (text('"reason": "NotFound"', '"reason": ""'), "unknown/pod"),
        (text('"status": "Failure"', '"status": "Success"'), "malformed/labels"),
        (header("content-type", "text/html", 404), "path/no-metric"),
        (header("content-type", "text/html"), "accept/json"),
        (header("etag", ""), "openapi/v3/etag"),
        (header("vary", ""), "aggregated/v2"),
        (code(304, 200), "aggregated/etag"),
        (code(404, 200), "external/unknown"),
        (code(403, 200), "access/nobody"),
        (code(405, 404), "method/post"),
        (text('"freshness": "Current"', '"freshness": "Stale"'), "aggregated/all"),
        (text(r'"subresource": "qps"', '"subresource": "rps"'), "aggregated/all"),
        (text('"responseKind": {[^}]*}', '"responseKind": null'), "aggregated/all"),
        (text('"custom.metrics.k8s.io/v1beta2"', '"custom.metrics.k8s.io/v1"'), "apis"),
        (text('"kind": "APIGroup"', '"kind": "Group"'), "group/external"),
        (text('"verbs": \\["get"\\]', '"verbs": ["list"]'), "resources"),
        (text('"namespaced": true', '"namespaced": "yes"'), "resources"),
        (text("#/definitions/", "#/nowhere/"), "openapi/v2"),
        (text('"get": {', '"post": {'), "openapi/v3/document"),
        (text("\\?hash=", "?tag="), "openapi/v3"),
        (text('"gitVersion"', '"version"'), "version"),
        (text("^ok$", "fine"), "health/readyz"),
    ],
)
async def test_what_is_not_as_it_must_be_is_found(alter: Alter, case: str, client: Client) -> None:
    altered = Altered(client.url, credentials=client.credentials, alter=alter)
    found = await asyncio.to_thread(find, client, TOLD, ["shop"])
    cases = [one for one in CASES if one.name == case]
    good, bad = [await asyncio.to_thread(run, asked, found, {}, cases) for asked in (client, altered)]
    assert good
    assert all(verdict.passed for verdict in good)
    assert any(verdict.difference for verdict in bad)


async def test_what_there_is_not_is_not_asked_for(client: Client) -> None:
    verdicts = await asyncio.to_thread(run, client, {"ns": "shop"}, {})
    left = [verdict for verdict in verdicts if verdict.lacking]
    assert all(verdict.line().startswith("---- ") for verdict in left)
    assert f"; {len(left)} not asked" in summary(verdicts)


async def test_a_known_difference_that_is_none_any_more_is_a_failure(client: Client) -> None:
    known = {"version": "it has none", "metrics": "elsewhere"}
    verdicts = await asyncio.to_thread(run, client, {"ns": "shop"}, known)
    assert failures(verdicts, known) == ["version does not differ any more"]


@pytest.mark.parametrize("said", ["shop/web", "shop/deployments.apps//qps", "a/b/c/d/e"])
def test_what_is_told_has_a_form(said: str) -> None:
    with pytest.raises(ValueError, match="has not the form NS/RESOURCE/OBJECT/METRIC"):
        told("object", said)
