"""Object and Pods metrics of custom.metrics.k8s.io."""

from collections.abc import Mapping
from typing import Any

import pytest

from adapter.answers import NotServed
from adapter.api import custom
from adapter.api.paths import ObjectMetric
from adapter.api.status import ApiError
from adapter.running import KNOWN_MS
from cme.core.durations import MINUTE_MS
from cme.core.quantity import parse_quantity
from tests.unit.adapter.stage import Stage, policy

WEB, API = policy("web"), policy("api")


@pytest.fixture
def stage() -> Stage:
    stage = Stage(WEB, API)
    for of in (WEB, API):
        name = of.metadata.name
        stage.run(of, *(f"{name}-{n}" for n in (1, 2, 3)), own={"name": name, "tier": "front"}, app=name)
        stage.measure(of, qps=250.0, queue_backlog=60.0)
    stage.forecast(qps=320.0, queue_backlog=50.0)
    stage.decide()
    return stage


def asked(
    stage: Stage,
    resource: str,
    name: str,
    metric: str,
    version: str = "v1beta2",
    namespace: str = "shop",
    **query: str,
) -> dict[str, Any]:
    path = ObjectMetric(version, namespace, resource, name, metric)
    return custom.answer(path, query, stage.view, stage.answers)


def refused(stage: Stage, *path: str, **more: str) -> tuple[int, str]:
    with pytest.raises((ApiError, NotServed)) as error:
        asked(stage, *path, **more)
    assert isinstance(error.value, ApiError | NotServed)
    return error.value.code, str(error.value)


def shares(answer: Mapping[str, Any]) -> dict[str, str]:
    return {item["describedObject"]["name"]: item["value"] for item in answer["items"]}


def test_an_object_is_one_item_in_the_form_of_v1beta2(stage: Stage) -> None:
    assert asked(stage, "deployments.apps", "web", "qps_scaling") == {
        "kind": "MetricValueList",
        "apiVersion": "custom.metrics.k8s.io/v1beta2",
        "metadata": {},
        "items": [
            {
                "describedObject": {
                    "kind": "Deployment",
                    "namespace": "shop",
                    "name": "web",
                    "apiVersion": "apps/v1",
                },
                "metric": {"name": "qps_scaling", "selector": None},
                "timestamp": "2027-01-15T08:00:01Z",
                "windowSeconds": 30,
                "value": "320",
            }
        ],
    }


def test_an_object_is_one_item_in_the_form_of_v1beta1(stage: Stage) -> None:
    assert asked(stage, "deployments.apps", "web", "qps_per_replica", version="v1beta1") == {
        "kind": "MetricValueList",
        "apiVersion": "custom.metrics.k8s.io/v1beta1",
        "metadata": {},
        "items": [
            {
                "describedObject": {
                    "kind": "Deployment",
                    "namespace": "shop",
                    "name": "web",
                    "apiVersion": "apps/v1",
                },
                "metricName": "qps_per_replica",
                "selector": None,
                "timestamp": "2027-01-15T08:00:01Z",
                "window": 30,
                "value": "83333m",
            }
        ],
    }


def test_the_group_may_be_left_out(stage: Stage) -> None:
    assert asked(stage, "deployments", "web", "qps") == asked(stage, "deployments.apps", "web", "qps")


def test_a_star_means_every_workload_of_the_kind(stage: Stage) -> None:
    assert shares(asked(stage, "deployments.apps", "*", "qps")) == {"api": "250", "web": "250"}
    assert shares(asked(stage, "deployments", "*", "queue_backlog")) == {"api": "60", "web": "60"}


def test_a_star_leaves_out_who_does_not_have_the_metric() -> None:
    other = policy("other", signals=[{"name": "lag", "source": {"x": {}}, "perReplica": 1}])
    stage = Stage(WEB, other)
    stage.measure(WEB, qps=250.0)
    assert shares(asked(stage, "deployments.apps", "*", "qps")) == {"web": "250"}


def test_a_star_can_be_narrowed_by_the_labels_of_the_metric(stage: Stage) -> None:
    one = {"metricLabelSelector": "tidecast.dev/workload=web"}
    assert shares(asked(stage, "deployments.apps", "*", "qps", **one)) == {"web": "250"}
    none = {"metricLabelSelector": "tidecast.dev/workload=gone"}
    assert refused(stage, "deployments.apps", "*", "qps", **none)[0] == 404


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("name=web", ["web"]),
        ("name!=web", ["api"]),
        ("tier=front", ["api", "web"]),
        ("!gone", ["api", "web"]),
        ("", ["api", "web"]),
        (" ", ["api", "web"]),
    ],
)
@pytest.mark.parametrize("resource", ["deployments.apps", "deployment"])
def test_a_star_can_be_narrowed_by_the_workloads_own_labels(
    selector: str, selected: list[str], resource: str, stage: Stage
) -> None:
    assert list(shares(asked(stage, resource, "*", "qps", labelSelector=selector))) == selected


@pytest.mark.parametrize("selector", ["app=web", "name=web,tier=back"])
def test_no_workload_is_an_error_and_never_an_empty_list(selector: str, stage: Stage) -> None:
    assert refused(stage, "deployments.apps", "*", "qps", labelSelector=selector) == (
        404,
        "there is no metric qps for deployments.apps * in namespace shop: "
        "of the 2 that have it none has the labels of the selector",
    )


def test_labels_that_are_not_known_of_one_leave_no_list(stage: Stage) -> None:
    """Another than it could be the one that lacks them: who names a workload needs no labels, nor does who takes all."""
    stage.run(API, "api-1", app="api")
    unknown = (
        503,
        "qps of shop/Deployment.apps/api: its labels are not known; does it exist, and may tidecast list deployments.apps?",
    )
    assert refused(stage, "deployments.apps", "*", "qps", labelSelector="name=web") == unknown
    assert list(shares(asked(stage, "deployments.apps", "*", "qps"))) == ["api", "web"]
    assert list(shares(asked(stage, "deployments.apps", "web", "qps", labelSelector="name=api"))) == ["web"]
    stage.run(API, "api-1", own={}, app="api")
    assert list(shares(asked(stage, "deployments.apps", "*", "qps", labelSelector="name=web"))) == ["web"]


def test_labels_that_were_told_long_ago_are_not_known(stage: Stage) -> None:
    stage.clock.advance(3 * MINUTE_MS + 1)
    for of in (WEB, API):
        stage.measure(of, qps=250.0)
    assert refused(stage, "deployments.apps", "*", "qps", labelSelector="name=web")[0] == 503


def test_labels_of_who_does_not_have_the_metric_need_not_be_known() -> None:
    other = policy("other", signals=[{"name": "lag", "source": {"x": {}}, "perReplica": 1}])
    stage = Stage(WEB, other)
    stage.run(WEB, "web-1", own={"name": "web"})
    stage.measure(WEB, qps=250.0)
    assert shares(asked(stage, "deployments.apps", "*", "qps", labelSelector="name=web")) == {"web": "250"}


def test_changed_labels_select_from_then_on(stage: Stage) -> None:
    stage.run(WEB, "web-1", own={"name": "other"}, app="web")
    assert refused(stage, "deployments.apps", "*", "qps", labelSelector="name=web")[0] == 404
    assert list(shares(asked(stage, "deployments.apps", "*", "qps", labelSelector="name=other"))) == ["web"]


def test_the_selector_of_the_series_is_told_as_it_was_asked(stage: Stage) -> None:
    query = {"metricLabelSelector": "tidecast.dev/workload=web,!gone"}
    told = {
        "matchLabels": {"tidecast.dev/workload": "web"},
        "matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}],
    }
    for resource, name in (("deployments.apps", "web"), ("deployments.apps", "*"), ("pods", "web-1")):
        (item,) = asked(stage, resource, name, "qps_scaling", **query)["items"]
        assert item["metric"] == {"name": "qps_scaling", "selector": told}
        (older,) = asked(stage, resource, name, "qps_scaling", version="v1beta1", **query)["items"]
        assert older["selector"] == told
    (whole,) = of_namespace(stage, "qps", **query)["items"]
    assert whole["metric"]["selector"] == told


def test_a_selector_that_does_not_match_names_the_labels(stage: Stage) -> None:
    selector = {"metricLabelSelector": "tidecast.dev/workload=api"}
    code, told = refused(stage, "deployments.apps", "web", "qps", **selector)
    assert code == 404
    assert "qps of shop/Deployment.apps/web does not match the metric's selector" in told
    assert "'tidecast.dev/workload': 'web'" in told


@pytest.mark.parametrize("parameter", ["labelSelector", "metricLabelSelector"])
def test_a_selector_that_does_not_parse_is_a_bad_request(parameter: str, stage: Stage) -> None:
    assert refused(stage, "pods", "*", "qps_scaling", **{parameter: "a b"})[0] == 400


def test_a_pod_is_meant_by_its_name_whatever_its_labels(stage: Stage) -> None:
    named = asked(stage, "pods", "web-2", "qps_scaling", labelSelector="app=other")
    assert list(shares(named)) == ["web-2"]


@pytest.mark.parametrize("resource", ["deployments.apps", "deployments", "deployment", "deployment.apps"])
@pytest.mark.parametrize("name", ["web", "*"])
def test_a_kind_has_several_names(resource: str, name: str, stage: Stage) -> None:
    assert shares(asked(stage, resource, name, "qps"))["web"] == "250"


def test_a_workload_without_a_policy_is_not_found(stage: Stage) -> None:
    assert refused(stage, "deployments.apps", "gone", "qps") == (
        404,
        "there is no metric qps for deployments.apps gone in namespace shop: "
        "no ScalingPolicy has it as its targetRef",
    )


@pytest.mark.parametrize(
    ("resource", "name", "namespace"),
    [("nodes", "node-1", ""), ("nodes", "*", ""), ("persistentvolumes", "a", ""), ("pods", "*", "")],
)
def test_objects_without_a_namespace_have_no_metrics(
    resource: str, name: str, namespace: str, stage: Stage
) -> None:
    code, told = refused(stage, resource, name, "qps", namespace=namespace)
    assert code == 404
    assert f"no metric qps for {resource} {name} without a namespace" in told


def of_namespace(stage: Stage, metric: str, name: str = "shop", **query: str) -> dict[str, Any]:
    return asked(stage, "namespaces", name, metric, namespace="", **query)


def test_a_namespace_has_the_sum_of_what_is_measured_in_it(stage: Stage) -> None:
    stage.clock.advance(1_000)
    stage.measure(API, qps=100.0)
    (item,) = of_namespace(stage, "qps")["items"]
    assert item["describedObject"] == {"kind": "Namespace", "name": "shop", "apiVersion": "v1"}
    assert item["value"] == "350"
    (older,) = asked(stage, "deployments.apps", "web", "qps")["items"]
    assert item["timestamp"] == older["timestamp"]


def test_the_series_of_a_namespace_can_be_selected(stage: Stage) -> None:
    stage.measure(API, qps=100.0)
    (item,) = of_namespace(stage, "qps", metricLabelSelector="tidecast.dev/workload=api")["items"]
    assert item["value"] == "100"
    with pytest.raises(ApiError, match="does not match the metric's selector"):
        of_namespace(stage, "qps", metricLabelSelector="a=b")


def test_a_sum_with_a_part_missing_is_no_number(stage: Stage) -> None:
    stage.clock.advance(stage.settings.signal_stale_ms + 1)
    stage.measure(API, qps=100.0)
    with pytest.raises(NotServed, match=r"qps of shop/Deployment\.apps/web: qps has no fresh value"):
        of_namespace(stage, "qps")


@pytest.mark.parametrize(
    ("metric", "name"), [("qps_scaling", "shop"), ("latency", "shop"), ("qps", "other"), ("qps", "*")]
)
def test_a_namespace_has_no_other_metrics(metric: str, name: str, stage: Stage) -> None:
    with pytest.raises(ApiError, match=f"no metric {metric} for Namespace") as error:
        of_namespace(stage, metric, name)
    assert error.value.code == 404


def test_an_unknown_metric_of_a_workload_names_the_known_ones(stage: Stage) -> None:
    code, told = refused(stage, "deployments.apps", "web", "latency")
    assert code == 404
    assert "it has replicas_scaling, replicas_schedule, qps" in told


def test_a_withdrawn_policy_takes_its_metrics_along(stage: Stage) -> None:
    stage.withdraw(WEB)
    assert refused(stage, "deployments.apps", "web", "qps")[0] == 404
    assert refused(stage, "pods", "*", "qps_scaling", labelSelector="app=web")[0] == 404
    assert shares(asked(stage, "deployments.apps", "*", "qps")) == {"api": "250"}


@pytest.mark.parametrize(
    ("metric", "total"), [("qps_scaling", 320_000), ("qps_predicted", 320_000), ("replicas_scaling", 4_000)]
)
def test_pods_get_exact_shares(metric: str, total: int, stage: Stage) -> None:
    answer = asked(stage, "pods", "*", metric, labelSelector="app=web")
    assert [item["describedObject"] for item in answer["items"]] == [
        {"kind": "Pod", "namespace": "shop", "name": f"web-{n}", "apiVersion": "v1"} for n in (1, 2, 3)
    ]
    assert sum(parse_quantity(item["value"]) for item in answer["items"]) == total


def test_the_floor_of_schedules_is_shared_too(stage: Stage) -> None:
    assert shares(asked(stage, "pods", "*", "replicas_schedule", labelSelector="app=api")) == {
        "api-1": "0",
        "api-2": "0",
        "api-3": "0",
    }


def test_a_pod_that_the_selector_leaves_out_keeps_its_share(stage: Stage) -> None:
    assert shares(asked(stage, "pods", "web-2", "qps_scaling")) == {"web-2": "106667m"}
    assert shares(asked(stage, "pods", "web-3", "qps_scaling", version="v1beta1")) == {"web-3": "106666m"}


def test_a_pod_that_leaves_gives_its_share_to_those_that_stay(stage: Stage) -> None:
    running = stage.watch("web-1", "web-2", "web-3")
    running.take({"type": "DELETED", "object": {"metadata": {"namespace": "shop", "name": "web-2"}}})
    assert shares(asked(stage, "pods", "*", "qps_scaling", labelSelector="app=web")) == {
        "web-1": "160",
        "web-3": "160",
    }
    assert refused(stage, "pods", "web-2", "qps_scaling")[0] == 404


def test_a_pod_that_the_log_does_not_name_has_no_share(stage: Stage) -> None:
    stage.watch("web-1", "web-4")
    assert shares(asked(stage, "pods", "*", "qps_scaling", labelSelector="app=web")) == {"web-1": "320"}


def test_all_pods_leaving_is_as_none_being_ready(stage: Stage) -> None:
    stage.watch("web-1", namespace="other")
    leaving = refused(stage, "pods", "*", "qps_scaling", labelSelector="app=web")
    stage.run(WEB, app="web")
    assert refused(stage, "pods", "*", "qps_scaling", labelSelector="app=web") == leaving
    assert leaving[0] == 404


def test_without_a_watch_only_pods_get_nothing(stage: Stage) -> None:
    stage.watch("web-1", "web-2", "web-3")
    stage.clock.advance(KNOWN_MS + 1)
    assert refused(stage, "pods", "*", "qps_scaling", labelSelector="app=web") == (
        503,
        "qps_scaling of shop/Deployment.apps/web: which of its pods are leaving is not known; "
        "may tidecast watch pods, and does the API server answer?",
    )
    for metric in ("qps_scaling", "qps_per_replica", "replicas_scaling"):
        assert asked(stage, "deployments.apps", "web", metric)["items"]
    assert refused(stage, "pods", "*", "qps_scaling", labelSelector="app=gone")[0] == 404


def test_pods_of_several_workloads_come_together(stage: Stage) -> None:
    assert len(asked(stage, "pods", "*", "qps_scaling")["items"]) == 6
    narrowed = asked(stage, "pods", "*", "qps_scaling", metricLabelSelector="tidecast.dev/workload=web")
    assert set(shares(narrowed)) == {"web-1", "web-2", "web-3"}


@pytest.mark.parametrize(("metric", "instead"), [("qps", "qps_scaling"), ("qps_per_replica", "qps_scaling")])
def test_what_is_not_measured_per_pod_points_at_what_is_served(
    metric: str, instead: str, stage: Stage
) -> None:
    code, told = refused(stage, "pods", "*", metric, labelSelector="app=web")
    assert (code, told) == (
        404,
        f"{metric} is measured for shop/Deployment.apps/web as a whole, not per pod; use it as an Object metric, "
        f"or {instead} as a Pods metric",
    )


def test_an_unknown_metric_of_pods_names_the_known_ones(stage: Stage) -> None:
    code, told = refused(stage, "pods", "*", "latency", labelSelector="app=web")
    assert code == 404
    assert "shop/Deployment.apps/web has no metric latency" in told


@pytest.mark.parametrize(
    ("namespace", "selector"), [("shop", "app=gone"), ("other", "app=web"), ("shop", "app=web,!app")]
)
def test_no_pod_is_an_error_and_never_an_empty_list(namespace: str, selector: str, stage: Stage) -> None:
    assert refused(stage, "pods", "*", "qps_scaling", namespace=namespace, labelSelector=selector) == (
        404,
        f"there is no metric qps_scaling for pods in namespace {namespace}: "
        "no running and ready pod of a workload with a ScalingPolicy matches",
    )


def test_pods_that_were_told_long_ago_get_no_shares(stage: Stage) -> None:
    stage.clock.advance(3 * MINUTE_MS + 1)
    stage.measure(WEB, qps=250.0, queue_backlog=60.0)
    stage.decide()
    assert refused(stage, "pods", "*", "qps_scaling", labelSelector="app=web") == (
        503,
        "qps_scaling of shop/Deployment.apps/web: its pods are not known; does the cluster answer tidecast?",
    )


def test_a_stale_metric_of_an_object_is_refused(stage: Stage) -> None:
    stage.clock.advance(MINUTE_MS + 1)
    assert refused(stage, "deployments.apps", "web", "qps")[0] == 503
    assert refused(stage, "pods", "*", "qps_scaling", labelSelector="app=web")[0] == 503
