"""What a large site costs: `python -m tests.bench.scale [--workloads N] [--signals S] [--tick T] [--wiring W] [--minutes M]`.

Real processes, with policies from a file: `tidecast up`, or (`--wiring kafka`) collectors, predictors and adapters on one broker,
as many as `--roles 1/1/1 2/2/1` names, one after the other. The source is an HTTP server of this process, asked as a Prometheus
is: a query for each signal and namespace, of which there are a hundred. Its answers cost it next to nothing; what a Prometheus
needs for them is left out, and so is the cluster: no replicas are asked for, no requests reviewed, and nobody else reads the
metrics API. What the engines have learned is what these minutes hold; the past of a log is tests.bench.catch_up's.

Printed are of each process the share of a core and the memory, over M minutes after a start and WARM_S; and how old a sample and
a decision are when they are served first, by their time of measurement: that of the source's answer, so that what a query waits
for is left out. The ages are seen by polling a few workloads, 50 times a second at most.
"""

import argparse
import asyncio
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.bench.fleet import SIGNALS
from tests.bench.machine import cpu_s, load_average, resident_mib
from tests.bench.scale_served import METRICS, SAMPLE, Place, Watch
from tests.bench.scale_site import PATIENCE_S, Roles, Site, on_kafka, places, policy, settings, up, write
from tests.bench.scale_source import Source
from tests.contract.kafka_log import link_to
from tests.e2e.components.kafka import Kafka
from tests.e2e.components.ports import free_ports

PARTITIONS = 8
WATCHED = 4
WARM_S = 30
"""After the first decisions of all that are watched."""


class Asked(NamedTuple):
    workloads: int
    signals: int
    tick_s: float
    minutes: float

    @property
    def names(self) -> Sequence[str]:
        return [*SIGNALS, *(f"signal_{number}" for number in range(len(SIGNALS), self.signals))][
            : self.signals
        ]


class Seen(NamedTuple):
    served_after_s: float
    shares: dict[str, float]
    """Of a core, by process."""
    resident: dict[str, float]
    """MiB."""
    own_share: float
    """Of this process, which is the source and asks."""
    watch: Watch
    queries: float
    """A tick."""
    ticks: float
    """Of the watched workloads whose samples were seen, a share of those that there should have been."""


def source_of(watched: Sequence[Place]) -> Source:
    names: dict[str, list[str]] = {}
    for place in watched:
        names.setdefault(place.namespace, []).append(place.name)
    return Source(names)


def watched(found: Sequence[Place]) -> list[Place]:
    """From one end to the other."""
    step = max(1, len(found) // WATCHED)
    return list(found[step // 2 :: step][:WATCHED])


async def measured(site: Site, source: Source, asked: Asked, found: Sequence[Place]) -> Seen:
    """Raises TimeoutError when nothing is served."""
    url, ca = f"https://127.0.0.1:{site.adapter.https}", site.adapter.data / "tls" / "ca.crt"
    begun = time.monotonic()
    await Watch(url, ca, found).served(begun + PATIENCE_S)
    after = time.monotonic() - begun
    await Watch(url, ca, found).until(time.monotonic() + min(WARM_S, 60 * asked.minutes))
    watch, spent, queries = Watch(url, ca, found), used(site), source.asked
    since, own = time.monotonic(), time.process_time()
    await watch.until(since + 60 * asked.minutes)
    seconds = time.monotonic() - since
    shares = {name: (cpu - spent[name]) / seconds for name, cpu in used(site).items()}
    resident = {name: resident_mib(pid) for name, pid in site.pids.items()}
    ticks = seconds / asked.tick_s
    seen = len(watch.ages_s(SAMPLE)) / len(found) / ticks
    queries_a_tick = (source.asked - queries) / ticks
    own_share = (time.process_time() - own) / seconds
    return Seen(after, shares, resident, own_share, watch, queries_a_tick, seen)


def used(site: Site) -> dict[str, float]:
    return {name: cpu_s(pid) for name, pid in site.pids.items()}


def lines(seen: Seen) -> Iterator[str]:
    yield f"served {seen.served_after_s:.0f} s after the processes listened; {load_average()}"
    for name, share in seen.shares.items():
        yield f"  {name:24s}{share:7.0%} of a core{seen.resident[name]:8.0f} MiB"
    yield f"  {'source and questions':24s}{seen.own_share:7.0%} of a core, {seen.queries:.0f} queries a tick"
    for told in METRICS:
        ages = seen.watch.ages_s(told)
        p50, p99 = (ages[math.floor(q * len(ages))] if ages else math.nan for q in (0.5, 0.99))
        yield f"  from measured to served, a {told}: p50 {p50:.2f} s, p99 {p99:.2f} s ({len(ages)} seen)"
    yield f"  {seen.ticks:.0%} of the ticks came; {seen.watch.refused} answers without a number"


def run(folder: Path, asked: Asked, broker: Kafka | None, roles: Roles) -> Seen:
    """Raises ComponentFailed, TimeoutError."""
    (port,) = free_ports(1)
    everywhere = places(asked.workloads)
    link = link_to(broker.address, folder).model_copy(update={"partitions": PARTITIONS}) if broker else None
    config, source = folder / "settings.yaml", source_of(everywhere)
    write(config, [settings(asked.tick_s, port, link), *(policy(one, asked.names) for one in everywhere)])

    async def all_of_it() -> Seen:
        async with source.served(port):
            with ExitStack() as stack:
                made = on_kafka(folder, config, broker, roles) if broker else up(folder, config)
                site = await asyncio.to_thread(stack.enter_context, made)
                return await measured(site, source, asked, watched(everywhere))

    return asyncio.run(all_of_it())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--signals", type=int, default=3)
    parser.add_argument("--tick", type=float, default=5)
    parser.add_argument("--wiring", choices=("up", "kafka"), default="up")
    parser.add_argument("--roles", nargs="*", default=["1/1/1", "2/2/1"])
    parser.add_argument("--minutes", type=float, default=5)
    given = parser.parse_args()
    asked = Asked(given.workloads, given.signals, given.tick, given.minutes)
    all_roles = given.roles if given.wiring == "kafka" else ["1/1/1"]
    for text in all_roles:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            broker = stack.enter_context(Kafka(folder)) if given.wiring == "kafka" else None
            what = f"on Kafka, {text} collectors, predictors and adapters" if broker else "tidecast up"
            print(
                f"{asked.workloads} workloads x {asked.signals} signals, tick {asked.tick_s:g} s: {what}",
                flush=True,
            )
            for line in lines(run(folder, asked, broker, Roles(*map(int, text.split("/"))))):
                print(line, flush=True)


if __name__ == "__main__":
    main()
