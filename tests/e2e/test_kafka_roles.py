"""`tidecast collect`, `predict` and `serve` on a real broker: they share the work, and go on when one of them is gone."""

import itertools
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.kafka_log import link_to
from tests.e2e.components.kafka import Kafka
from tests.e2e.kafka_site import KafkaSite, partitions
from tests.run.program import Program, command

pytestmark = pytest.mark.e2e

NAMES = ["web", "api", "shop", "mail", "search", "cart"]
METRICS = ("qps", "qps_scaling", "replicas_scaling")
AWAY_SECONDS = 10
"""At least so long a broker is away."""


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> KafkaSite:
    link = link_to(kafka.address, tmp_path).model_copy(update={"partitions": 3})
    return KafkaSite(tmp_path, link, NAMES)


def answers(adapter: Program) -> dict[tuple[str, str], Any]:
    return {
        (name, metric): adapter.metric(f"demo/deployments.apps/{name}/{metric}")
        for name in NAMES
        for metric in METRICS
    }


def all_are_numbers(adapter: Program) -> bool:
    return {answer["kind"] for answer in answers(adapter).values()} == {"MetricValueList"}


def oldest(adapter: Program) -> datetime:
    """When what is served was measured."""
    times = [answer["items"][0]["timestamp"] for answer in answers(adapter).values()]
    return min(map(datetime.fromisoformat, times))


def shared(one: Program, other: Program) -> bool:
    """Whether each partition is worked on by one of them, and each of them has work."""
    shares = partitions(one), partitions(other)
    return all(shares) and sorted([*shares[0], *shares[1]]) == [0, 1, 2]


def test_they_share_the_work_and_go_on_when_one_of_each_is_killed(site: KafkaSite) -> None:
    with (
        site.collector("one") as one,
        site.collector("other") as other,
        site.predictor("first") as first,
        site.predictor("second") as second,
        site.adapter() as adapter,
    ):
        one.wait_for(lambda: shared(one, other))
        first.wait_for(lambda: shared(first, second))
        adapter.wait_for(lambda: all_are_numbers(adapter))
        for killed in (one, first):
            killed.process.kill()
            killed.process.wait()
        killed_at = datetime.now(UTC)
        other.wait_for(lambda: partitions(other) == {0, 1, 2})
        second.wait_for(lambda: partitions(second) == {0, 1, 2})
        adapter.wait_for(lambda: all_are_numbers(adapter) and oldest(adapter) > killed_at)
        assert [other.stop(), second.stop(), adapter.stop()] == [0, 0, 0]
    with site.predictor("heir") as heir:
        heir.wait_for(lambda: heir.output.count("nowcast.state is taken from the log") == 3)
        heir.wait_for(lambda: partitions(heir) == {0, 1, 2})


def test_one_process_group_may_have_all_roles(site: KafkaSite) -> None:
    with site.all_in_one() as program:
        program.wait_for(lambda: all_are_numbers(program))
        told = command("explain", "demo/web", "--config", site.file)
        assert told.returncode == 0, told.stderr
        assert "was served" in told.stdout
        assert program.stop() == 0


@pytest.mark.slow
def test_what_is_measured_while_the_broker_is_away_comes_in_order_when_it_is_back(
    kafka: Kafka, site: KafkaSite
) -> None:
    with site.collector() as collector:
        collector.wait_for(lambda: partitions(collector) == {0, 1, 2})
        collector.wait_for(lambda: all(site.sampled(partition) for partition in range(3)))
        kafka.stop()
        away_at = time.time()
        collector.wait_for(
            lambda: (
                len({file.parent for file in waiting(collector)}) == 3
                and time.time() > away_at + AWAY_SECONDS
            )
        )
        kafka.start()
        collector.wait_for(lambda: not waiting(collector))
        back_at = time.time()
        collector.wait_for(
            lambda: all(site.sampled(partition)[-1] > 1000 * back_at for partition in range(3))
        )
        for partition in range(3):
            times = site.sampled(partition)
            assert times == sorted(set(times))
            longest = max(later - earlier for earlier, later in itertools.pairwise(times))
            assert longest < 1000 * AWAY_SECONDS / 2  # it went on measuring all the time
        assert collector.stop() == 0


def waiting(collector: Program) -> list[Path]:
    """Files of what waits on its disk."""
    return list(collector.data.glob("partition-*/outbox/*"))
