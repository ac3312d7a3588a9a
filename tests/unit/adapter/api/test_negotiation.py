import pytest

from adapter.api.negotiation import PLAIN, aggregated_form, negotiate
from adapter.api.status import ApiError

V2, V2BETA1 = aggregated_form("v2"), aggregated_form("v2beta1")
ALL = (PLAIN, V2, V2BETA1)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json",
        "Application/JSON ; charset=utf-8",
        "application/vnd.kubernetes.protobuf, */*",
        "application/vnd.kubernetes.protobuf,application/json",
        "text/html;q=0.9, application/json;q=0.1",
        f"application/json;{V2},application/json;q=0.9",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    ],
)
def test_who_takes_json_is_served(accept: str) -> None:
    assert negotiate(accept) == PLAIN


@pytest.mark.parametrize(
    "accept",
    [
        "application/vnd.kubernetes.protobuf",
        "text/html",
        "application/yaml",
        "application/json;q=0",
        "application/json;q=much",
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        f"application/json;{V2}",
        ",",
    ],
)
def test_who_takes_no_json_is_told_so(accept: str) -> None:
    with pytest.raises(ApiError, match="add it to the Accept header") as error:
        negotiate(accept)
    assert error.value.code == 406


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json", PLAIN),
        ("*/*", PLAIN),
        (f"application/json;{V2}", V2),
        (f"application/json;{V2BETA1}", V2BETA1),
        (f"application/json;{V2},application/json;{V2BETA1},application/json", V2),
        (f"application/json;{V2BETA1},application/json;{V2}", V2BETA1),
        (f"application/json;{V2BETA1};q=0.5,application/json;{V2};q=0.9", V2),
        ("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", V2),
        ("application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json", PLAIN),
    ],
)
def test_discovery_has_the_form_that_is_liked_best(accept: str, form: str) -> None:
    assert negotiate(accept, ALL) == form
