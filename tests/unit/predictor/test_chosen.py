"""The number that a policy takes from a forecast, and the doubts that come with it."""

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from cme.core.distrust import Cause
from predictor.chosen import Chosen, chosen
from predictor.decide.rules import compile_rules
from predictor.engine import Forecast
from predictor.grid import AT, MAX, QUANTILES, L, Q, T
from tests.unit.predictor.stage import policy

ALL_DOUBTS = (1 << L * (Q + 1)) - 1


def choose(
    uncalibrated: int = 0, causes: dict[tuple[int, int], Cause] | None = None, **forecast: Any
) -> Chosen:
    """One policy's choice; loads are 100 plus ten times the normal score at all leads."""
    scores = np.array([NormalDist().inv_cdf(q) for q in QUANTILES], dtype=np.float32)
    values = np.broadcast_to(100 + 10 * scores[:, None], (T, L, Q, 1))
    distrust = sum(cause << 3 * (T * lead + target) for (lead, target), cause in (causes or {}).items())
    doubts, causes_of = (np.array([bits], dtype=np.uint32) for bits in (uncalibrated, distrust))
    made = Forecast(values, doubts, causes_of, np.zeros(1, dtype=np.int64))
    web = policy("web", forecast={"lead": "15m"} | forecast)
    lead_ms = np.array([web.spec.forecast.lead_ms(float("nan"))])
    unsaid = np.full((Q, 1), np.nan)
    return chosen(made, np.array([0]), np.array([100.0]), unsaid, lead_ms, compile_rules([web]).quantile)


@pytest.mark.parametrize("quantile", [0.99, 0.995, 0.999])
def test_with_enough_errors_a_quantile_beyond_the_grid_is_extrapolated(quantile: float) -> None:
    found = choose(quantile=quantile)
    assert found.values[0] == pytest.approx(100 + 10 * NormalDist().inv_cdf(quantile))
    assert not found.capped[0]


@pytest.mark.parametrize("lead", range(L))
def test_without_them_it_is_99_and_says_so(lead: int) -> None:
    found = choose(uncalibrated=1 << (lead * (Q + 1) + Q), quantile=0.995)
    wanted = 0.99 if lead <= 1 else 0.995  # 15 min reads the leads of 5 and 15
    assert found.values[0] == pytest.approx(100 + 10 * NormalDist().inv_cdf(wanted))
    assert found.capped.tolist() == [wanted == 0.99]
    assert not found.uncalibrated[0]


def test_a_quantile_of_the_grid_is_never_capped() -> None:
    found = choose(uncalibrated=ALL_DOUBTS, quantile=0.99)
    assert not found.capped[0]
    assert found.uncalibrated[0]


@pytest.mark.parametrize(
    ("lead", "cells"),
    [("3m", [0]), ("5m", [0]), ("6m", [0, 1]), ("15m", [1]), ("45m", [2, 3]), ("6h", [4])],
)
def test_trust_counts_in_the_cells_that_the_number_is_made_of(lead: str, cells: list[int]) -> None:
    for cell in range(L):
        found = choose(causes={(cell, MAX): Cause.OVER}, lead=lead)
        assert found.causes.tolist() == [Cause.OVER if cell in cells else Cause.NONE]
        assert choose(causes={(cell, AT): Cause.OVER}, lead=lead).causes.tolist() == [Cause.NONE]


def test_causes_of_both_cells_come_together() -> None:
    found = choose(causes={(0, MAX): Cause.LOSS, (1, MAX): Cause.COVERAGE}, lead="10m")
    assert found.causes.tolist() == [Cause.LOSS | Cause.COVERAGE]
