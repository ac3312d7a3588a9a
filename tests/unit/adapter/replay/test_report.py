"""The report: one file, whose figures over all workloads are right, and which no name breaks."""

import json

import pytest

from adapter.hpa.controller import Controller
from adapter.replay.baselines import reactive, static
from adapter.replay.cluster import Site
from adapter.replay.report import Document, html, together
from adapter.replay.study import document, study
from tests.unit.adapter.replay.past import MINUTE, START, past, policy

CONTROLLER = Controller("1.36")


@pytest.fixture(scope="module")
def made() -> Document:
    contenders = [reactive(policy(), 70, 300, CONTROLLER), static(policy(), 9)]
    values = [float("nan") if minute == 5 else 1000.0 for minute in range(20)]
    done = study(contenders, past(values, ahead=1), Site(), START + MINUTE, START + 20 * MINUTE)
    return document(done, 0.5, 1.0)


def test_the_document_shows_all_series_at_the_same_times(made: Document) -> None:
    hpa, fixed, best = made["contenders"]
    series = [made["demand"], *made["bounds"].values(), made["forecast"]["median"], hpa["capacity"]]
    assert {len(one) for one in series} == {len(made["times_s"])} == {19}
    assert made["demand"][4] is None
    assert fixed["missing"] == {"steps": [*range(4), *range(5, 19)], "replicas": [1.0] * 18}
    assert best["missing"] == {"steps": [], "replicas": []}
    assert fixed["cost"] == fixed["replica_hours"] * made["price"]


def contender(name: str, hours: float, **figures: float) -> Document:
    same = {"cost": hours, "replica_hours": hours, "demand_hours": hours, "cores_saved": 3}
    same |= {"minutes_short": 1, "changes": 2}
    zero = {"flaps": 0, "short": 0.0, "over": 0.0, "worst_minute": 0.0, "longest_delay_s": 0.0}
    return {"family": name, "setting": ""} | same | zero | figures


def test_over_all_workloads_shares_are_of_the_demand_of_all() -> None:
    one = {"contenders": [contender("a", 10, short=0.1, longest_delay_s=5), contender("b", 10)]}
    other = {"contenders": [contender("c", 1), contender("a", 30, short=0.5, longest_delay_s=3)]}
    (found,) = together([one, other])
    assert found["family"] == "a"
    assert (found["cost"], found["minutes_short"], found["changes"]) == (40, 2, 4)
    assert found["cores_saved"] == 6
    assert found["short"] == pytest.approx(0.4)
    assert found["longest_delay_s"] == 5
    assert together([]) == []


def test_the_report_is_one_file_and_no_name_can_end_its_script(made: Document) -> None:
    hostile = "</script><script>alert(1)</script>$data${script}"
    page = html([made | {"workload": hostile, "price": float("nan")}], hostile)
    assert "<script>alert" not in page
    assert "http://" not in page
    told = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert (told["title"], told["workloads"][0]["workload"]) == (hostile, hostile)
    assert told["workloads"][0]["price"] is None


def test_four_weeks_of_many_contenders_stay_small(made: Document) -> None:
    count, points = 70, 5000
    hpa = made["contenders"][0] | {
        "capacity": list(range(1000, 1000 + points)),
        "missing": {"steps": list(range(500)), "replicas": [12.3] * 500},
    }
    series = [1234.567] * points
    large = made | {
        "times_s": list(range(1_800_000_000, 1_800_000_000 + points)),
        "demand": series,
        "forecast": made["forecast"] | {"median": series, "covered": series},
        "bounds": {"floor": series, "ceiling": series},
        "contenders": [hpa] * count,
    }
    assert len(html([large], "large")) < 3_000_000
