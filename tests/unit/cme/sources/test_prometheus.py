import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest

from cme.collector.sampling import Sampler
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection
from cme.sources.prometheus import Prometheus, Spec
from cme.sources.protocol import SourceFailed
from tests.contract.source_laws import NOW_MS, sample, vector
from tests.contract.source_web import Web, web_server


@asynccontextmanager
async def prometheus(label: str | None = None, path: str = "") -> AsyncIterator[tuple[Prometheus, Web]]:
    async with web_server() as web:
        spec = Spec(connection="main", query="sum(load) > 0 & more", workload_label=label)
        source = Prometheus(spec, Connection(address=web.url + path))
        try:
            yield source, web
        finally:
            await source.close()


async def read(source: Prometheus, web: Web, body: bytes, status: int = 200) -> Harvest:
    web.answers(body, "application/json", status)
    return await source.read(NOW_MS, 5.0)


def answer(kind: str, result: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


async def test_the_time_is_the_answers() -> None:
    async with prometheus() as (source, web):
        harvest = await read(source, web, vector(sample("a", "5.5", 1_600_000_000.123)))
    assert harvest == Harvest([Reading("query", 5.5, 1_600_000_000_123)], {"": 1})


async def test_a_scalar_is_a_value() -> None:
    async with prometheus() as (source, web):
        harvest = await read(source, web, answer("scalar", [1_600_000_000, "7"]))
    assert [(r.value, r.time_ms) for r in harvest.readings] == [(7.0, 1_600_000_000_000)]


@pytest.mark.parametrize("path", ["", "/", "/prometheus/"])
async def test_the_query_is_asked_under_the_address(path: str) -> None:
    async with prometheus(path=path) as (source, web):
        await read(source, web, vector(sample("a", "5")))
        head, _, form = web.asked[0].decode().partition("\r\n\r\n")
    assert head.startswith(f"POST {path.rstrip('/')}/api/v1/query HTTP/1.1")
    assert parse_qs(form) == {"query": ["sum(load) > 0 & more"]}


@pytest.mark.parametrize("status", [400, 422, 503])
async def test_an_error_is_told_in_its_own_words(status: int) -> None:
    body = b'{"status":"error","errorType":"bad_data","error":"parse error: unexpected <by>"}'
    async with prometheus() as (source, web):
        with pytest.raises(SourceFailed, match=r"/api/v1/query: bad_data: parse error: unexpected <by>$"):
            await read(source, web, body, status)


@pytest.mark.parametrize("status", [401, 502])
async def test_an_answer_of_something_else_is_told_with_its_status(status: int) -> None:
    async with prometheus() as (source, web):
        with pytest.raises(SourceFailed, match=f"status {status} and no answer of a Prometheus API"):
            await read(source, web, b"Unauthorized", status)


async def test_a_range_is_no_load() -> None:
    async with prometheus() as (source, web):
        with pytest.raises(SourceFailed, match="returned a matrix; it must return an instant vector"):
            await read(source, web, answer("matrix", []))


async def test_nothing_found_is_no_zero() -> None:
    async with prometheus() as (source, web):
        with pytest.raises(SourceFailed, match="no series: sum"):
            await read(source, web, vector())


async def test_several_series_are_never_silently_one_load() -> None:
    texts = set()
    async with prometheus() as (source, web):
        for count in (2, 3):  # the text does not change with the count
            with pytest.raises(SourceFailed, match="several series; wrap it in sum") as caught:
                await read(source, web, vector(*[sample("a", "5")] * count))
            texts.add(str(caught.value))
    assert len(texts) == 1


async def test_each_workload_gets_its_own_load() -> None:
    async with prometheus("app") as (source, web):
        harvest = await read(source, web, vector(sample("a", "5"), sample("b", "7", 1_600_000_000)))
    assert harvest.readings == [
        Reading("a", 5.0, NOW_MS, "a"),
        Reading("b", 7.0, 1_600_000_000_000, "b"),
    ]
    assert harvest.expected == {"a": 1, "b": 1}


async def test_a_workload_that_is_told_twice_has_no_load() -> None:
    async with prometheus("app") as (source, web):
        harvest = await read(source, web, vector(sample("a", "5"), sample("b", "7"), sample("a", "5")))
    assert [r.workload for r in harvest.readings] == ["b"]
    assert harvest.expected == {"a": 1, "b": 1}
    assert harvest.failures == ["two series have app='a'; aggregate them by (app)"]


@pytest.mark.parametrize("labels", [{}, {"app": ""}, {"app": None}, {"app": ["a"]}, {"pod": "a"}])
async def test_a_series_without_the_label_is_named_and_nobodys(labels: dict[str, Any]) -> None:
    nameless = {"metric": labels, "value": [1.0, "9"]}
    async with prometheus("app") as (source, web):
        one = await read(source, web, vector(nameless, sample("b", "7")))
        two = await read(source, web, vector(nameless, nameless, sample("b", "7")))
    assert one.failures == two.failures == ["a series has no label app"]
    assert [r.workload for r in one.readings] == ["b"]
    assert one.expected == {"b": 1}


async def test_each_workload_is_told_its_own_fault() -> None:
    async with prometheus("app") as (source, web):
        harvest = await read(
            source, web, vector(*[sample(name, "5") for name in ("a", "a", "b", "b")], sample("c", "1"))
        )
    problems = {
        name: Sampler(30_000, 90_000).sample(harvest, name, NOW_MS).problem for name in ("a", "b", "c", "d")
    }
    assert problems["a"].startswith("two series have app='a';")
    assert problems["b"].startswith("two series have app='b';")
    assert problems["c"] == ""
    assert problems["d"] == "the query returned nothing for workload 'd'"
