from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from cme.core.readings import Flag, Harvest, total
from cme.sources.protocol import SourceFailed
from cme.sources.scrape import Scrape, Spec
from tests.contract.source_laws import NOW_MS
from tests.contract.source_web import Web, web_server

PAGE = b"""# HELP http_requests_total All
# TYPE http_requests_total counter
http_requests_total{code="200",path="/"} 10
http_requests_total{code="200",path="/x"} 5
http_requests_total{code="500",path="/"} 1
http_requests_total_created{code="200"} 99
# TYPE busy gauge
 busy 3.5
busy_workers 44
"""


@asynccontextmanager
async def scrape(targets: int = 1, **spec: Any) -> AsyncIterator[tuple[Scrape, Sequence[Web]]]:
    async with AsyncExitStack() as stack:
        webs = [await stack.enter_async_context(web_server()) for _ in range(targets)]
        for web in webs:
            web.answers(PAGE)
        source = Scrape(Spec(targets=frozenset(web.url for web in webs), **spec), None)
        try:
            yield source, webs
        finally:
            await source.close()


async def read(source: Scrape, timeout_s: float = 5.0) -> Harvest:
    return await source.read(NOW_MS, timeout_s)


@pytest.mark.parametrize(
    ("metric", "labels", "value", "counters"),
    [
        ("http_requests_total", {}, 16.0, True),
        ("http_requests_total", {"code": "200"}, 15.0, True),
        ("http_requests_total", {"code": "200", "path": "/"}, 10.0, True),
        ("busy", {}, 3.5, False),
        ("busy_workers", {}, 44.0, False),
    ],
)
async def test_the_series_of_the_metric_are_summed(
    metric: str, labels: dict[str, str], value: float, counters: bool
) -> None:
    async with scrape(metric=metric, labels=labels) as (source, _):
        harvest = await read(source)
    assert [r.value for r in harvest.readings] == [value]
    assert harvest.counters is counters


@pytest.mark.parametrize("suffix", ["_total", "_count", "_sum", "_bucket"])
async def test_a_counter_is_known_by_its_name(suffix: str) -> None:
    async with scrape(metric=f"m{suffix}") as (source, (web,)):
        web.answers(f"m{suffix} 1\n".encode())
        assert (await read(source)).counters


async def test_a_label_that_no_series_has_is_told_and_no_zero() -> None:
    async with scrape(metric="busy", labels={"pod": "x"}) as (source, (web,)):
        with pytest.raises(SourceFailed, match=f"{web.url}: there is no metric busy pod='x'"):
            await read(source)


async def test_openmetrics_is_read_with_its_exemplars_and_seconds() -> None:
    page = b'# TYPE load counter\nload_total 5 1600000000.5 # {trace="a"} 1\n# EOF\n'
    async with scrape(metric="load_total") as (source, (web,)):
        web.answers(page, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        (reading,) = (await read(source)).readings
    assert (reading.value, reading.time_ms) == (5.0, 1_600_000_000_500)


async def test_the_oldest_time_on_the_page_counts() -> None:
    async with scrape(metric="load") as (source, (web,)):
        web.answers(b'load{a="1"} 5 1600000000123\nload{a="2"} 5\n')
        (reading,) = (await read(source)).readings
        assert reading.time_ms == 1_600_000_000_123
        web.answers(b'load{a="1"} 5\n')
        (reading,) = (await read(source)).readings
        assert reading.time_ms == NOW_MS


@pytest.mark.parametrize("fault", ["closed", "hanging", "no metric", "status"])
async def test_one_target_of_five_that_fails_is_coverage(fault: str) -> None:
    async with scrape(targets=5, metric="busy") as (source, webs):
        match fault:
            case "closed":
                webs[2].raw = b""
            case "hanging":
                webs[2].silent = True
            case "no metric":
                webs[2].answers(b"idle 1\n")
            case "status":
                webs[2].answers(PAGE, status=500)
        harvest = await read(source, 0.3)
    assert harvest.expected == {"": 5}
    assert [webs[2].url in text for text in harvest.failures] == [True]
    result = total([(r.value, r.time_ms) for r in harvest.readings], 5)
    assert result is not None
    assert (result.value, result.coverage, result.flags) == (17.5, 0.8, Flag.ESTIMATED)


async def test_a_target_is_a_part_by_its_url() -> None:
    async with scrape(targets=3, metric="busy") as (source, webs):
        assert sorted(r.part for r in (await read(source)).readings) == sorted(web.url for web in webs)


async def test_a_target_that_is_named_twice_is_read_once() -> None:
    async with scrape(metric="busy") as (_, (web,)):
        source = Scrape(Spec.model_validate({"targets": [web.url, web.url], "metric": "busy"}), None)
        harvest = await read(source)
        await source.close()
        assert (len(harvest.readings), harvest.expected, len(web.asked)) == (1, {"": 1}, 1)


@pytest.mark.parametrize(
    "target", ["ftp://x", "x:80/metrics", "http://", "http://a b/", "file:///etc/passwd", ""]
)
def test_a_target_must_be_a_url(target: str) -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate({"targets": [target], "metric": "busy"})


@pytest.mark.parametrize("metric", ["", "1a", "a-b", "a{}", "a b"])
def test_a_metric_must_have_a_name(metric: str) -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate({"targets": ["http://x"], "metric": metric})
