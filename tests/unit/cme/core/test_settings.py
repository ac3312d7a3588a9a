"""Settings that contradict each other."""

from typing import Any

import pytest

from cme.core.errors import InvalidInput
from cme.core.settings import parse_configuration

LINK = {"address": "log:9443", "caFile": "ca.crt", "certFile": "tls.crt", "keyFile": "tls.key"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"registration": {}}, "registration needs a cluster; add kubernetes"),
        (
            {
                "registration": {},
                "kubernetes": {},
                "certificate": {"certFile": "tls.crt", "keyFile": "tls.key"},
            },
            r"add certificate\.caFile",
        ),
        (
            {"registration": {}, "kubernetes": {}, "followLog": LINK},
            "need the same certificate; add certificate",
        ),
        ({"serveLog": LINK, "followLog": LINK}, "keep one of them"),
        ({"registration": {"groups": []}, "kubernetes": {}}, "groups"),
        ({"registration": {"groups": ["metrics.k8s.io"]}, "kubernetes": {}}, "groups"),
    ],
)
def test_a_registration_that_can_not_be_kept_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        parse_configuration([{"kind": "Settings", **fields}], "settings.yaml")
