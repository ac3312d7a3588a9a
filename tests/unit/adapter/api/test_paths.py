import pytest

from adapter.api.paths import ExternalMetric, ObjectMetric, read_path
from adapter.api.status import ApiError

P = "/apis/custom.metrics.k8s.io"
E = "/apis/external.metrics.k8s.io/v1beta1"


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
@pytest.mark.parametrize(
    ("rest", "asked"),
    [
        ("nodes/node-1/m", ("", "nodes", "node-1", "m")),
        ("nodes/*/m", ("", "nodes", "*", "m")),
        ("namespaces/ns/pods/bar/m", ("ns", "pods", "bar", "m")),
        ("namespaces/ns/pods/*/m", ("ns", "pods", "*", "m")),
        ("namespaces/ns/deployments.apps/web/m", ("ns", "deployments.apps", "web", "m")),
        ("namespaces/ns/metrics/m", ("", "namespaces", "ns", "m")),
        ("namespaces/metrics/metrics/metrics", ("", "namespaces", "metrics", "metrics")),
    ],
)
def test_a_path_of_the_custom_group_names_an_object_and_a_metric(
    version: str, rest: str, asked: tuple[str, str, str, str]
) -> None:
    assert read_path(f"{P}/{version}/{rest}") == ObjectMetric(version, *asked)


@pytest.mark.parametrize(
    "rest",
    [
        "nodes/foo",
        "nodes",
        "namespaces/ns/pods/bar",
        "namespaces/ns/pods/bar/m/more",
        "namespaces/ns//bar/m",
        "namespaces//metrics/m",
        "//m",
        "namespaces/ns/metrics/",
    ],
)
def test_a_path_without_a_metric_is_nothing(rest: str) -> None:
    assert read_path(f"{P}/v1beta2/{rest}") is None


def test_a_path_of_the_external_group_names_a_metric_in_a_namespace() -> None:
    assert read_path(f"{E}/namespaces/ns/m") == ExternalMetric("ns", "m")
    assert read_path(f"{E}/namespaces/ns/s0-kafka-topic,x") == ExternalMetric("ns", "s0-kafka-topic,x")


@pytest.mark.parametrize(
    "rest", ["m", "namespaces/ns", "namespaces/ns/group/m", "namespaces//m", "pods/ns/m"]
)
def test_an_external_metric_has_one_namespace_and_no_slash(rest: str) -> None:
    assert read_path(f"{E}/{rest}") is None


@pytest.mark.parametrize("rest", ["namespaces/ns/m", "namespaces/ns/nodes"])
def test_a_namespace_and_one_part_more_is_no_path(rest: str) -> None:
    with pytest.raises(ApiError, match="invalid request path") as error:
        read_path(f"{P}/v1beta2/{rest}")
    assert error.value.code == 400


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/apis",
        "/apis/custom.metrics.k8s.io",
        f"{P}/v1beta2",
        f"{P}/v1",
        "/apis/external.metrics.k8s.io/v1beta2",
        "/apis/metrics.k8s.io/v1beta1",
        "/api/custom.metrics.k8s.io/v1beta2/nodes/a/m",
        "apis/custom.metrics.k8s.io/v1beta2/nodes/a/m",
    ],
)
def test_other_paths_are_not_of_a_served_version(path: str) -> None:
    assert read_path(path) is None


def test_an_escaped_slash_stays_within_its_segment() -> None:
    asked = read_path(f"{P}/v1beta2/namespaces/ns/pods/a%2Fb/m%20n")
    assert asked == ObjectMetric("v1beta2", "ns", "pods", "a/b", "m n")
