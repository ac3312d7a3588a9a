from typing import Any

import pytest

from adapter.access.trust import NoTrust, Trust

CONFIG = {
    "client-ca-file": "CLIENT",
    "requestheader-client-ca-file": "PROXY",
    "requestheader-allowed-names": '["front-proxy-client", "aggregator"]',
    "requestheader-username-headers": '["X-Remote-User", "X-Other-User"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
}
DEFAULTS = (("X-Remote-User",), ("X-Remote-Group",), ("X-Remote-Uid",), ("X-Remote-Extra-",))


def test_the_config_map_says_whom_to_believe() -> None:
    names = ("front-proxy-client", "aggregator")
    users = ("X-Remote-User", "X-Other-User")
    trust = Trust.of({"data": CONFIG})
    assert trust == Trust("PROXY", "CLIENT", names, users, *DEFAULTS[1:])
    assert trust.authorities == "PROXY\nCLIENT"


def test_what_it_leaves_out_is_as_kube_apiserver_sets_it() -> None:
    assert Trust.of({"data": {"requestheader-client-ca-file": "PROXY"}}) == Trust("PROXY", "", (), *DEFAULTS)


@pytest.mark.parametrize(
    "config_map", [{}, {"data": None}, {"data": {}}, {"data": {"requestheader-client-ca-file": ""}}]
)
def test_without_a_front_proxy_ca_it_says_what_to_set(config_map: dict[str, Any]) -> None:
    with pytest.raises(NoTrust, match="--requestheader-client-ca-file"):
        Trust.of(config_map)


@pytest.mark.parametrize("value", ["front-proxy-client", "[", "7"])
def test_a_list_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(NoTrust, match="requestheader-allowed-names"):
        Trust.of({"data": CONFIG | {"requestheader-allowed-names": value}})
