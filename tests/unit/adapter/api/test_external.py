"""Metrics of external.metrics.k8s.io: always of exactly one workload, for the HPA sums what it gets."""

from typing import Any

import pytest

from adapter.answers import NotServed
from adapter.api import external
from adapter.api.paths import ExternalMetric
from adapter.api.status import ApiError
from tests.unit.adapter.stage import Stage, policy

WEB, API = policy("web"), policy("api")
JOBS = policy(
    "jobs",
    targetRef={"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "jobs"},
    signals=[{"name": "lag", "source": {"x": {}}, "perReplica": 10}],
)


@pytest.fixture
def stage() -> Stage:
    stage = Stage(WEB, API, JOBS)
    for of in (WEB, API):
        stage.measure(of, qps=1_250.0, queue_backlog=60.0)
    stage.measure(JOBS, lag=20_000.0)
    stage.decide()
    return stage


def asked(stage: Stage, metric: str, selector: str = "", namespace: str = "shop") -> dict[str, Any]:
    query = {"labelSelector": selector} if selector else {}
    return external.answer(ExternalMetric(namespace, metric), query, stage.view, stage.answers)


def refused(stage: Stage, *asking: str) -> tuple[int, str]:
    with pytest.raises((ApiError, NotServed)) as error:
        asked(stage, *asking)
    assert isinstance(error.value, ApiError | NotServed)
    return error.value.code, str(error.value)


def test_a_metric_is_a_list_of_one_item(stage: Stage) -> None:
    assert asked(stage, "lag_scaling", "tidecast.dev/workload=jobs") == {
        "kind": "ExternalMetricValueList",
        "apiVersion": "external.metrics.k8s.io/v1beta1",
        "metadata": {},
        "items": [
            {
                "metricName": "lag_scaling",
                "metricLabels": {"tidecast.dev/kind": "StatefulSet", "tidecast.dev/workload": "jobs"},
                "timestamp": "2027-01-15T08:00:01Z",
                "window": 30,
                "value": "20k",
            }
        ],
    }


def test_a_metric_of_one_workload_needs_no_selector(stage: Stage) -> None:
    assert asked(stage, "lag")["items"][0]["value"] == "20k"


@pytest.mark.parametrize(
    "selector",
    [
        "tidecast.dev/workload=web",
        "tidecast.dev/workload in (web),tidecast.dev/kind=Deployment",
        "tidecast.dev/workload notin (api,jobs)",
    ],
)
def test_the_selector_chooses_among_several(selector: str, stage: Stage) -> None:
    (item,) = asked(stage, "replicas_scaling", selector)["items"]
    assert (item["metricLabels"]["tidecast.dev/workload"], item["value"]) == ("web", "13")


def test_several_are_refused_with_the_selector_to_add(stage: Stage) -> None:
    assert refused(stage, "qps") == (
        400,
        "2 workloads match (api, web) and the HPA would sum them; "
        "add tidecast.dev/workload to the metric's selector",
    )
    code, told = refused(stage, "replicas_schedule")
    assert code == 400
    assert told.startswith("3 workloads match (api, web, jobs)")


def test_an_unknown_metric_is_not_found(stage: Stage) -> None:
    assert refused(stage, "latency") == (404, "no workload in namespace shop has the metric latency")
    assert refused(stage, "qps", "", "other") == (404, "no workload in namespace other has the metric qps")


def test_a_selector_that_matches_none_says_how_many_have_the_metric(stage: Stage) -> None:
    assert refused(stage, "qps", "tidecast.dev/workload=gone") == (
        404,
        "no workload in namespace shop has the metric qps and the labels of the selector; 2 have the metric",
    )


def test_a_selector_that_does_not_parse_is_a_bad_request(stage: Stage) -> None:
    assert refused(stage, "qps", "a b")[0] == 400


def test_a_stale_metric_is_refused(stage: Stage) -> None:
    stage.clock.advance(60_001)
    assert refused(stage, "lag_scaling")[0] == 503
