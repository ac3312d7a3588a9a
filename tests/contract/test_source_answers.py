"""Hostile answers: each gives SourceFailed or a refusal by name, never another exception and never a load."""

from pathlib import Path

import pytest

from cme.collector.sampling import Sampled, Sampler
from cme.core.rates import Refusal
from cme.sources import host
from cme.sources.host import Host
from cme.sources.protocol import Source
from tests.contract import source_laws as laws
from tests.contract.source_laws import NOW_MS, TIMEOUT_S, fails, interfaces, sample, vector
from tests.contract.source_web import PLAIN

JSON = "application/json"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\n"
DEEP = b"[" * 1_000_000
SERIES = {"metric": {"app": "a"}, "value": [1.0, "5"]}

# What is no answer of a Prometheus at all, so that no workload can be told apart.
NO_PROMETHEUS = {
    "empty": b"",
    "html": HTML,
    "png": PNG,
    "truncated": vector(SERIES)[:-9],
    "utf8": vector(SERIES).replace(b'"a"', b'"\xff\xfe"'),
    "deep": DEEP,
    "deep object": b'{"a":' * 1_000_000,
    "huge int": b'{"status": ' + b"9" * 5_000 + b"}",
    "null": b"null",
    "list": b"[]",
    "number": b"1e999",
    "status only": b'{"status": "success"}',
    "result number": b'{"status":"success","data":{"resultType":"vector","result":7}}',
    "result text": b'{"status":"success","data":{"resultType":"vector","result":"ab"}}',
    "result of lists": b'{"status":"success","data":{"resultType":"vector","result":[[1,2]]}}',
    "metric list": b'{"status":"success","data":{"resultType":"vector","result":[{"metric":[1]}]}}',
    "matrix": b'{"status":"success","data":{"resultType":"matrix","result":[]}}',
    "kind object": b'{"status":"success","data":{"resultType":{"a":1},"result":[]}}',
    "no series": vector(),
}

# What is a series, but not a number of workload "a": it fails, and the one beside it does not.
NO_SAMPLE = {
    "words": sample("a", "many"),
    "huge time": {**SERIES, "value": [1e999, "5"]},
    "nan time": {**SERIES, "value": [float("nan"), "5"]},
    "no time": {**SERIES, "value": [None, "5"]},
    "three": {**SERIES, "value": [1, "5", 3]},
    "one": {**SERIES, "value": ["5"]},
    "text": {**SERIES, "value": "12"},
    "object": {**SERIES, "value": {"1": 2, "3": 4}},
    "list": {**SERIES, "value": [1, ["5"]]},
    "none": {**SERIES, "value": None},
    "histogram": {"metric": {"app": "a"}, "histogram": [1, {"count": "5"}]},
}

NO_METRICS = {
    "empty": (PLAIN, b""),
    "html": ("text/html", HTML),
    "png": ("image/png", PNG),
    "html called openmetrics": (OPENMETRICS, HTML),
    "text called openmetrics": (OPENMETRICS, b"load 5\n"),
    "truncated openmetrics": (OPENMETRICS, b"# TYPE load gauge\nload 5\n# EO"),
    "truncated number": (PLAIN, b"load 12"),
    "truncated labels": (PLAIN, b'load{a="b\n'),
    "no value": (PLAIN, b"load\n"),
    "words": (PLAIN, b"load many\n"),
    "utf8": (PLAIN, b'load{a="\xff\xfe"} 5\n'),
    "deep": (PLAIN, b"load" + b"{" * 100_000 + b"\n"),
    "deep json": (JSON, DEEP),
    "huge int": (PLAIN, b"load " + b"9" * 400 + b"\n"),
    "nan time": (PLAIN, b"load 5 NaN\n"),
    "endless time": (PLAIN, b"load 5 +Inf\n"),
    "duplicate": (PLAIN, b'load{a="1"} 5\nload{a="1"} 6\n'),
    "another metric": (PLAIN, b"loads 5\nload_total 6\n"),
}

NO_INTERFACES = {
    "empty": b"",
    "html": HTML * 3,
    "json": DEEP,
    "truncated": interfaces(eth0=5, eth1=7).encode()[:-9],
    "utf8": interfaces(eth0=5, eth1="XX").encode().replace(b"XX", b"\xff\xfe"),
    "superscript": interfaces(eth0=5, eth1="\u00b2").encode("latin-1"),
    "nan": interfaces(eth0=5, eth1="NaN").encode(),
    "infinite": interfaces(eth0=5, eth1="+Inf").encode(),
    "negative": interfaces(eth0=5, eth1="-7").encode(),
    "huge": interfaces(eth0=5, eth1="9" * 400).encode(),
    "duplicate": interfaces(eth0=5, eth1=7).encode() + b"eth0: 6" + b" 0" * 15 + b"\n",
}

REFUSED = {
    "NaN": Refusal.NAN,
    "+Inf": Refusal.INFINITE,
    "-Inf": Refusal.INFINITE,
    "1e400": Refusal.INFINITE,
    "1e300": Refusal.INFINITE,
    "9" * 5_000: Refusal.INFINITE,
    "-1": Refusal.NEGATIVE,
}


async def sampled(source: Source, workload: str = "") -> Sampled:
    harvest = await source.read(NOW_MS, TIMEOUT_S)
    return Sampler(30_000, 90_000).sample(harvest, workload, NOW_MS)


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("body", NO_PROMETHEUS.values(), ids=NO_PROMETHEUS.keys())
async def test_what_is_no_answer_of_prometheus(body: bytes, status: int) -> None:
    async with laws.prometheus() as (source, web):
        web.answers(body, JSON, status)
        await fails(source)


@pytest.mark.parametrize("series", NO_SAMPLE.values(), ids=NO_SAMPLE.keys())
async def test_a_series_without_a_number_fails_alone(series: dict[str, object]) -> None:
    async with laws.prometheus() as (source, web):
        web.answers(vector(series, sample("b", "7")), JSON)
        broken, whole = await sampled(source, "a"), await sampled(source, "b")
    assert broken.total is None
    assert "app='a': the answer is no number" in broken.problem
    assert whole.total is not None
    assert whole.total.value == 7.0


@pytest.mark.parametrize(("kind", "body"), NO_METRICS.values(), ids=NO_METRICS.keys())
async def test_what_is_no_page_of_metrics(kind: str, body: bytes) -> None:
    async with laws.scrape(1) as (source, (web,)):
        web.answers(body, kind)
        await fails(source)


@pytest.mark.parametrize("body", NO_INTERFACES.values(), ids=NO_INTERFACES.keys())
async def test_what_is_no_list_of_interfaces(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "dev").write_bytes(body)
    await fails(Host(host.Spec(direction="in"), None, tmp_path / "dev"))


@pytest.mark.parametrize(("text", "refusal"), REFUSED.items(), ids=[text[:9] for text in REFUSED])
async def test_a_number_that_no_load_has_is_refused_by_name(text: str, refusal: Refusal) -> None:
    async with laws.prometheus() as (source, web):
        web.answers(vector(sample("a", text), sample("b", "7")), JSON)
        assert (await sampled(source, "a")).refusals == (refusal,)
        assert (await sampled(source, "a")).total is None
    async with laws.scrape(1) as (source, (web,)):
        web.answers(f'load{{a="1"}} {text}\nload{{a="2"}} 9\n'.encode())
        assert (await sampled(source)).refusals == (refusal,)
        assert (await sampled(source)).total is None


async def test_a_file_of_100_mb_is_read_to_the_limit_only(tmp_path: Path) -> None:
    path = tmp_path / "dev"
    path.write_text(interfaces(eth0=5))
    with path.open("ab") as file:
        file.truncate(100_000_000)
    await fails(Host(host.Spec(direction="in"), None, path))
