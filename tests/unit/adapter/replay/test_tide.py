"""The hours of a day, and which of them are off-peak."""

import numpy as np
import pytest

from adapter.replay.outcome import Demand
from adapter.replay.tide import tide

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 20_000 * DAY  # midnight, UTC


def demand(days: int) -> Demand:
    edges = START + MINUTE * np.arange(days * 1440 + 1)
    hours = (edges[:-1] // HOUR) % 24
    return Demand(edges, np.where((hours >= 8) & (hours < 22), 2500.0, 60.0))


def test_the_low_hours_are_one_window_over_midnight() -> None:
    found = tide(demand(5), "UTC", 0.95)
    assert found is not None
    assert found.off_peak == (22, 10)
    assert found.free()[23] == 2440
    assert found.free()[12] == 0
    assert found.days == 5


def test_hours_are_local() -> None:
    found = tide(demand(5), "Asia/Shanghai", 0.95)
    assert found is not None
    assert found.off_peak == (6, 10)


def test_a_confidence_is_that_of_days() -> None:
    known = demand(20)
    needed = known.needed.copy()
    needed[3 * 60 + 7] = 900.0  # one night of twenty
    rare = Demand(known.edges_ms, needed)
    careful, careless = (tide(rare, "UTC", confidence) for confidence in (0.99, 0.9))
    assert careful is not None
    assert careless is not None
    assert careful.most[3] == 900
    assert careless.most[3] == 60
    assert careful.typical[3] == careless.typical[3] == 60
    needed[12 * 60] = 1.0
    dipped = tide(Demand(known.edges_ms, needed), "UTC", 0.99)
    assert dipped is not None
    assert dipped.least[12] == 1


def test_hours_that_are_not_wholly_known_count_not() -> None:
    known = demand(3)
    needed = known.needed.copy()
    needed[5 * 60] = np.nan
    assert tide(Demand(known.edges_ms, needed), "UTC", 0.95) is None
    assert tide(known, "UTC", 0.95) is not None


def test_a_flat_load_has_no_off_peak() -> None:
    known = demand(4)
    flat = tide(Demand(known.edges_ms, np.full(len(known.needed), 100.0)), "UTC", 0.95)
    assert flat is not None
    assert flat.off_peak is None


@pytest.mark.parametrize("cut", [1, 59, 61])
def test_hours_that_are_cut_off_count_not(cut: int) -> None:
    known = demand(4)
    part = known.within(START + cut * MINUTE, START + 4 * DAY - cut * MINUTE)
    found = tide(part, "UTC", 0.95)
    assert found is not None
    assert found.days == 3
