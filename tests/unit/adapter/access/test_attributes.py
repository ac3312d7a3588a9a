from typing import Any

import pytest

from adapter.access.attributes import Attributes, attributes_of

CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"


def resource(version: str = "v1beta2", group: str = "custom.metrics.k8s.io", **more: str) -> Attributes:
    return Attributes(**({"verb": "get"} | more), group=group, version=version)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            f"{CUSTOM}/namespaces/shop/pods/%2A/qps",
            resource(namespace="shop", resource="pods", name="*", subresource="qps"),
        ),
        (
            f"{CUSTOM}/namespaces/shop/deployments.apps/web/qps",
            resource(namespace="shop", resource="deployments.apps", name="web", subresource="qps"),
        ),
        (f"{CUSTOM}/namespaces/shop/metrics/qps", resource(namespace="shop", resource="metrics", name="qps")),
        (f"{CUSTOM}/nodes/n1/qps", resource(resource="nodes", name="n1", subresource="qps")),
        (
            f"{EXTERNAL}/namespaces/shop/backlog",
            resource("v1beta1", "external.metrics.k8s.io", verb="list", namespace="shop", resource="backlog"),
        ),
        (CUSTOM, Attributes("get", path=CUSTOM)),
        ("/apis", Attributes("get", path="/apis")),
        ("/openapi/v2", Attributes("get", path="/openapi/v2")),
    ],
)
def test_a_path_names_what_is_touched(path: str, expected: Attributes) -> None:
    assert attributes_of("GET", path, {}) == expected


@pytest.mark.parametrize(
    ("method", "verb"), [("GET", "get"), ("POST", "create"), ("DELETE", "delete"), ("BREW", "brew")]
)
def test_a_method_is_a_verb(method: str, verb: str) -> None:
    assert attributes_of(method, f"{CUSTOM}/nodes/n1/qps", {}).verb == verb


def test_a_watch_is_a_verb_of_its_own() -> None:
    assert attributes_of("GET", f"{EXTERNAL}/namespaces/shop/backlog", {"watch": "true"}).verb == "watch"


def test_a_review_names_only_what_is_set() -> None:
    touched = attributes_of("GET", f"{CUSTOM}/nodes/n1/qps", {})
    expected: dict[str, Any] = {
        "verb": "get",
        "group": "custom.metrics.k8s.io",
        "version": "v1beta2",
        "resource": "nodes",
        "subresource": "qps",
        "name": "n1",
    }
    assert touched.review() == {"resourceAttributes": expected}
    assert attributes_of("GET", "/apis", {}).review() == {
        "nonResourceAttributes": {"path": "/apis", "verb": "get"}
    }


def test_a_refusal_is_worded_as_kube_apiserver_does() -> None:
    touched = attributes_of("GET", f"{CUSTOM}/namespaces/shop/deployments.apps/web/qps", {})
    assert touched.refusal("eve") == (
        'deployments.apps.custom.metrics.k8s.io "web" is forbidden: User "eve" cannot get resource '
        '"deployments.apps/qps" in API group "custom.metrics.k8s.io" in the namespace "shop"'
    )
    assert attributes_of("GET", "/apis", {}).refusal("eve") == 'forbidden: User "eve" cannot get path "/apis"'
