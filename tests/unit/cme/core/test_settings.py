"""Settings that contradict each other."""

from typing import Any

import pytest

from cme.core.errors import InvalidInput
from cme.core.settings import parse_configuration

LINK = {"address": "log:9443", "caFile": "ca.crt", "certFile": "tls.crt", "keyFile": "tls.key"}

KAFKA: dict[str, Any] = {"address": "kafka-0:9092, kafka-1:9092"}


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
        (
            {"registration": {}, "kubernetes": {}, "log": {"kafka": KAFKA}},
            "need the same certificate; add certificate",
        ),
        ({"followLog": LINK, "log": {"kafka": KAFKA}}, "keep log, or serveLog and followLog"),
        ({"log": {"kafka": {"address": "kafka:9092,kafka"}}}, r"'kafka' is not HOST:PORT"),
        ({"log": {"kafka": KAFKA | {"prefix": "tide.cast"}}}, r"kafka\.prefix"),
        ({"log": {"kafka": KAFKA | {"partitions": 0}}}, r"kafka\.partitions"),
        ({"log": {"kafka": KAFKA | {"buffer": "-1"}}}, r"kafka\.buffer"),
        ({"log": {"kafka": KAFKA | {"tls": {"caFile": "ca", "keyFile": "key"}}}}, "give both or none"),
        ({"log": {"kafka": KAFKA | {"sasl": {"mechanism": "GSSAPI"}}}}, r"kafka\.sasl\.mechanism"),
        ({"log": {}}, "kafka: it is missing"),
        ({"registration": {"groups": []}, "kubernetes": {}}, "groups"),
        ({"registration": {"groups": ["metrics.k8s.io"]}, "kubernetes": {}}, "groups"),
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        parse_configuration([{"kind": "Settings", **fields}], "settings.yaml")
