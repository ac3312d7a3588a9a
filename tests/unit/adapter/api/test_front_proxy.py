from typing import Any

import pytest

from adapter.api.front_proxy import FrontProxy, NoFrontProxy

CONFIG = {
    "client-ca-file": "other",
    "requestheader-client-ca-file": "PEM",
    "requestheader-allowed-names": '["front-proxy-client", "aggregator"]',
    "requestheader-username-headers": '["X-Remote-User", "X-Other-User"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
}
ASKS = {"X-Remote-User": "system:serviceaccount:kube-system:horizontal-pod-autoscaler"}


def proxy(**data: str | None) -> FrontProxy:
    named = {key.replace("_", "-"): value for key, value in data.items()}
    return FrontProxy.of({"data": {k: v for k, v in (CONFIG | named).items() if v is not None}})


def certificate(*names: str, organisation: str = "x") -> dict[str, Any]:
    """In the form of ssl.SSLSocket.getpeercert."""
    subject = [(("organizationName", organisation),), *((("commonName", name),) for name in names)]
    return {"subject": tuple(subject), "issuer": ((("commonName", "front-proxy-client"),),)}


def test_the_config_map_says_whom_to_believe() -> None:
    assert proxy() == FrontProxy(
        "PEM", ["front-proxy-client", "aggregator"], ["X-Remote-User", "X-Other-User"], ["X-Remote-Group"]
    )


def test_what_it_leaves_out_is_as_kube_apiserver_sets_it() -> None:
    assert FrontProxy.of({"data": {"requestheader-client-ca-file": "PEM"}}) == FrontProxy(
        "PEM", [], ["X-Remote-User"], ["X-Remote-Group"]
    )


@pytest.mark.parametrize(
    "config_map", [{}, {"data": None}, {"data": {}}, {"data": {"requestheader-client-ca-file": ""}}]
)
def test_without_a_front_proxy_ca_it_says_what_to_set(config_map: dict[str, Any]) -> None:
    with pytest.raises(NoFrontProxy, match="--requestheader-client-ca-file"):
        FrontProxy.of(config_map)


@pytest.mark.parametrize("name", ["front-proxy-client", "aggregator"])
def test_an_allowed_name_speaks_for_the_user(name: str) -> None:
    assert proxy().user(certificate(name), ASKS) == ASKS["X-Remote-User"]


@pytest.mark.parametrize("name", ["admin", "", "front-proxy-client.evil", "FRONT-PROXY-CLIENT"])
def test_another_name_speaks_for_nobody(name: str) -> None:
    assert proxy().user(certificate(name), ASKS) is None


def test_only_the_name_of_the_subject_counts() -> None:
    assert proxy().user(certificate(organisation="front-proxy-client"), ASKS) is None
    assert proxy().user(certificate("admin", "front-proxy-client"), ASKS) is None


def test_without_allowed_names_every_certificate_of_the_ca_counts() -> None:
    assert proxy(requestheader_allowed_names="[]").user(certificate("any"), ASKS) is not None


@pytest.mark.parametrize("missing", [None, {}])
@pytest.mark.parametrize("names", ["[]", '["front-proxy-client"]'])
def test_headers_without_a_certificate_are_worth_nothing(names: str, missing: dict[str, Any] | None) -> None:
    assert proxy(requestheader_allowed_names=names).user(missing, ASKS) is None


def test_the_first_header_that_is_not_empty_names_the_user() -> None:
    seen = certificate("aggregator")
    assert proxy().user(seen, {"X-Remote-User": "", "X-Other-User": "b"}) == "b"
    assert proxy().user(seen, {"X-Remote-User": "a", "X-Other-User": "b"}) == "a"
    assert proxy().user(seen, {"X-Forged-User": "c"}) is None
    assert proxy().user(seen, {}) is None
