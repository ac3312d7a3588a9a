import pytest

from cme.core.identity import SeriesKey, Workload, signal_name_problem

WEB = Workload("shop", "apps", "Deployment", "web")


def test_ids_are_the_same_in_every_process() -> None:
    assert SeriesKey(WEB, "qps").id == 2736898189823073058
    assert SeriesKey(WEB, "qps").id != SeriesKey(WEB, "queue_backlog").id


def test_units_are_those_of_the_signal() -> None:
    assert SeriesKey(WEB, "bandwidth_in").unit == "B/s"
    assert SeriesKey(WEB, "sessions").unit == "1"


@pytest.mark.parametrize(
    "name", ["qps_predicted", "Qps", "1qps", "", "replicas_scaling", "replicas", "a/b", "q" * 64, "metrics"]
)
def test_names_that_would_collide_are_refused(name: str) -> None:
    assert signal_name_problem(name)


@pytest.mark.parametrize("name", ["qps", "queue_backlog", "http_5xx"])
def test_names_that_fit(name: str) -> None:
    assert signal_name_problem(name) is None
