"""A cluster in which all is well, and how to change one fact of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from adapter.api.own_certificate import OwnCertificate, names_of
from adapter.autoscaler.live import hpas
from adapter.autoscaler.manifest import manifest
from adapter.doctor.access import rights
from adapter.doctor.autoscalers import metric_paths
from adapter.doctor.checks import examine
from adapter.doctor.facts import Asked, Facts
from adapter.registration.rule import ApiService, planned
from adapter.registration.rule import manifest as api_service
from cme.core.settings import Registration
from tests.unit.adapter.registration.stage import CUSTOM, EXTERNAL
from tests.unit.adapter.stage import policy

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ASKED = Asked(Registration(), [policy("web")])
TRUST = {"data": {"requestheader-client-ca-file": "PEM"}}


def ours(authorities: str) -> list[ApiService]:
    names = [(CUSTOM, "v1beta1"), (CUSTOM, "v1beta2"), (EXTERNAL, "v1beta1")]
    made = [api_service(group, version, ASKED.registration, authorities) for group, version in names]
    return [ApiService(one["spec"], available=True) for one in made]


def healthy(folder: Path, made: datetime = NOW) -> Facts:
    """`made`: when its certificate was."""
    own = OwnCertificate(folder, names_of(ASKED.registration), made)
    services = ours(own.authorities)
    return Facts(
        version="v1.36.3",
        ahead_s=-0.4,
        tolerant=True,
        scales_to_zero=False,
        trust=TRUST,
        plan=planned(services, ASKED.registration),
        installed=True,
        rights=dict.fromkeys(rights(ASKED), True),
        discovery={one.name: True for one in services},
        values=dict.fromkeys(metric_paths(ASKED.policies, services), "5"),
        hpas=hpas([manifest(one, 36) for one in ASKED.policies], "live"),
        scaled_objects=[],
        vertical=[],
        certificate=x509.load_pem_x509_certificate(own.certificate.cert_file.read_bytes()),
        now=NOW,
    )


def complaints(facts: Facts, **changed: Any) -> list[tuple[str, str, str]]:
    """(level, check, text) of all that is not ok."""
    found = examine(ASKED, replace(facts, **changed))
    return [(one.level, one.check, one.text) for one in found if one.level != "ok"]


def days(count: int) -> timedelta:
    return timedelta(days=count)
