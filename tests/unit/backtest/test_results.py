import json

import numpy as np
import pytest

from adapter.backtest.report import html
from adapter.backtest.results import Result, truths_of

STEP_S = 300
LEADS = (900, 3600)
QUANTILES = (0.5, 0.9, 0.95, 0.99)


def result(offset: float = 0.0, name: str = "web") -> Result:
    """A rising load whose forecasts are the truth and `offset`."""
    values = np.arange(400, dtype=float)
    origins = np.arange(100, 380)
    truths = truths_of(values, origins, tuple(lead // STEP_S for lead in LEADS))
    forecasts = {
        t: np.repeat(np.nan_to_num(truth)[:, :, None] + offset, 4, axis=2) for t, truth in truths.items()
    }
    ratios = {target: np.array([0.5, np.nan]) for target in truths}
    return Result(name, origins * STEP_S, LEADS, QUANTILES, forecasts, truths, ratios)


def test_the_truth_of_a_lead_is_the_value_then_and_the_largest_until_then() -> None:
    values = np.array([1.0, 5.0, 2.0, 7.0, 3.0])
    truths = truths_of(values, np.array([0, 1, 3]), (2,))
    np.testing.assert_array_equal(truths["at"][:, 0], [2.0, 7.0, np.nan])
    np.testing.assert_array_equal(truths["max"][:, 0], [5.0, 7.0, np.nan])


def test_a_gap_within_the_window_leaves_its_largest_value_unknown() -> None:
    truths = truths_of(np.array([1.0, np.nan, 2.0, 3.0]), np.array([0, 1]), (2,))
    np.testing.assert_array_equal(truths["max"][:, 0], [np.nan, 3.0])


@pytest.mark.parametrize(("offset", "coverage"), [(1.0, 1.0), (0.0, 1.0), (-1.0, 0.0)])
def test_coverage_is_the_share_of_truths_at_or_below(offset: float, coverage: float) -> None:
    assert np.all(result(offset).coverage("max") == coverage)


def test_short_and_over_are_shares_of_the_load() -> None:
    one = result(-10.0)
    need = one.truths["max"][:, 0]
    short, over = one.provision(900, 0.95)
    assert short == pytest.approx(10 * len(need) / need.sum())
    assert over == 0


def test_a_chart_shows_each_truth_at_its_own_time() -> None:
    chart = result().chart("at", 900)
    assert chart["times"][0] == 100 * STEP_S + 900
    assert chart["truth"][0] == 103.0
    assert chart["truth"][-1] is None or chart["q0.95"][-1] == chart["truth"][-1]


def test_the_report_is_one_file_and_no_name_can_end_its_script() -> None:
    page = html([result(name="</script><script>alert(1)</script>")], "title", "a table")
    assert "<script>alert" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    data = page.split('id="data">')[1].split("</script>")[0]
    told = json.loads(data)
    assert told["table"] == "a table"
    assert told["series"][0]["name"].startswith("</script>")
    assert told["series"][0]["ratio"]["max"] == [0.5, None]
