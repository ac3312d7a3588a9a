"""Honest answers with damage anywhere: SourceFailed or a harvest, never another exception."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cme.core.readings import Harvest
from cme.sources.host import parse
from cme.sources.protocol import Source, SourceFailed
from tests.contract import source_laws as laws
from tests.contract.source_laws import NOW_MS, TIMEOUT_S, interfaces, sample, vector
from tests.contract.source_web import PLAIN

PAGE = b'# HELP load x\n# TYPE load gauge\nload{a="1",b="\\"2"} 5 1700000000000\nload{a="2"} 7e3\n# EOF\n'
OPENMETRICS = "application/openmetrics-text"

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with some stretches replaced by other bytes, or by other parts of itself."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(whole)))
        end = draw(st.integers(start, min(len(whole), start + 12)))
        copied = whole[draw(st.integers(0, len(whole))) :][: draw(st.integers(0, 12))]
        symbols = st.text(st.sampled_from('{}[]",:#\\\n 019.-+eENaI\u00b2\ud7ff'), max_size=6)
        new = draw(st.one_of(st.binary(max_size=6), symbols.map(str.encode), st.just(copied)))
        whole = whole[:start] + new + whole[end:]
    return whole


async def harvest_of(source: Source) -> Harvest | None:
    try:
        return await source.read(NOW_MS, TIMEOUT_S)
    except SourceFailed:
        return None


@FUZZ
@given(body=damaged(vector(sample("a", "5"), sample("b", "7"))))
async def test_prometheus(body: bytes) -> None:
    async with laws.prometheus() as (source, web):
        web.answers(body, "application/json")
        harvest = await harvest_of(source)
    if harvest:
        assert {type(r.value) for r in harvest.readings} <= {float}
        assert {type(r.time_ms) for r in harvest.readings} <= {int}
        assert len(harvest.readings) <= sum(harvest.expected.values())


@FUZZ
@given(body=damaged(PAGE), kind=st.sampled_from([PLAIN, OPENMETRICS]))
async def test_scrape(body: bytes, kind: str) -> None:
    async with laws.scrape(1) as (source, (web,)):
        web.answers(body, kind)
        harvest = await harvest_of(source)
    if harvest:
        (reading,) = harvest.readings
        assert type(reading.value) is float
        assert type(reading.time_ms) is int


@FUZZ
@given(body=damaged(interfaces(eth0=5, lo=7).encode()))
def test_host(body: bytes) -> None:
    try:
        counters = parse(body.decode("latin-1"), "in")
    except SourceFailed:
        return
    assert all(0 <= value < 1e20 for value in counters.values())


async def test_the_undamaged_answers_are_good() -> None:
    """Else the damaged ones would prove nothing."""
    async with laws.scrape(1) as (source, (web,)):
        for kind in (PLAIN, OPENMETRICS):
            web.answers(PAGE, kind)
            harvest = await source.read(NOW_MS, TIMEOUT_S)
            assert [r.value for r in harvest.readings] == [7005.0], kind
    with pytest.raises(SourceFailed):
        parse("eth0 5", "in")
    assert parse(interfaces(eth0=5, lo=7), "in") == {"eth0": 5.0, "lo": 7.0}
