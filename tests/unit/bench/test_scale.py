"""The source of the bench of the scale is one that tidecast reads, and tells its time to the millisecond."""

import time

from cme.core.settings import Connection
from cme.sources.prometheus import KIND
from tests.bench.scale import Asked, source_of, watched
from tests.bench.scale_served import Place
from tests.bench.scale_site import places
from tests.bench.scale_source import LABEL, query
from tests.e2e.components.ports import free_ports


async def test_a_query_is_answered_for_all_workloads_of_its_namespace() -> None:
    (port,) = free_ports(1)
    source = source_of([Place("shop", "web"), Place("shop", "api"), Place("other", "web")])
    spec = KIND.spec.model_validate(
        {"connection": "bench", "query": query("shop", "qps"), "workloadLabel": LABEL}
    )
    before = time.time_ns() // 1_000_000
    async with source.served(port):
        reader = KIND.open(spec, Connection(address=f"http://127.0.0.1:{port}"))
        try:
            harvest = await reader.read(before, 5)
        finally:
            await reader.close()
    assert source.asked == 1
    assert [reading.workload for reading in harvest.readings] == ["web", "api"]
    for reading in harvest.readings:
        assert before <= reading.time_ms <= time.time_ns() // 1_000_000
        assert round(1000 * reading.value) % 1000 == reading.time_ms % 1000


def test_watched_are_a_few_from_one_end_to_the_other() -> None:
    assert [place.name[-5:] for place in watched(places(10_000))] == ["01250", "03750", "06250", "08750"]
    assert watched(places(2)) == places(2)


def test_signals_have_names_however_many_there_are() -> None:
    assert Asked(1, 2, 5, 5).names == ["qps", "bandwidth_in"]
    assert Asked(1, 4, 5, 5).names[2:] == ["queue_backlog", "signal_3"]
