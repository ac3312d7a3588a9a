"""The bench of the scale, with few workloads and a tick of a second."""

from pathlib import Path

import pytest

from tests.bench.scale import Asked, Seen, lines, run
from tests.bench.scale_served import METRICS
from tests.bench.scale_site import Roles
from tests.e2e.components.kafka import Kafka

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FEW = Asked(workloads=20, signals=2, tick_s=1, minutes=0.1)


def assert_measured(seen: Seen, processes: list[str]) -> None:
    assert list(seen.shares) == list(seen.resident) == processes
    assert all(share >= 0 for share in seen.shares.values())
    assert all(mib > 10 for mib in seen.resident.values())
    for told in METRICS:
        ages = seen.watch.ages_s(told)
        assert len(ages) > 4
        assert 0 <= ages[0] < 30
    assert seen.queries > 0
    assert len(list(lines(seen))) == len(processes) + 5


def test_all_in_one(tmp_path: Path) -> None:
    assert_measured(run(tmp_path, FEW, None, Roles(1, 1)), ["collector and predictor", "adapter"])


def test_roles_on_a_broker(kafka: Kafka, tmp_path: Path) -> None:
    seen = run(tmp_path, FEW, kafka, Roles(2, 1))
    assert_measured(seen, ["broker", "collect 1", "collect 2", "predict 1", "serve 1"])
