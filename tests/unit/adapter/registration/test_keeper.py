"""What the running program does with the cluster's APIServices."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from prometheus_client import CollectorRegistry

from adapter.api.own_certificate import LIFETIME, RENEWED_BEFORE, OwnCertificate, names_of, tls_folder
from adapter.registration.keeper import Keeper
from adapter.registration.rule import ApiService
from cme.core.settings import Kubernetes, Registration, Settings
from cme.runtime.telemetry import AdapterTelemetry
from tests.unit.adapter.registration.stage import CUSTOM, EXTERNAL, Cluster, api_service

OTHER = "monitoring/prometheus-adapter"
NOW = datetime.now(UTC)


class Running:
    def __init__(self, folder: Path, *groups: str) -> None:
        self.cluster, self.metrics = Cluster(), CollectorRegistry()
        asked = Registration.model_validate({"groups": groups or (CUSTOM, EXTERNAL)})
        settings = Settings(data=folder, kubernetes=Kubernetes(), registration=asked)
        self.own = OwnCertificate(tls_folder(settings), names_of(asked), NOW)
        self.keeper = Keeper(self.cluster, settings, asked, AdapterTelemetry(self.metrics))

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.get_sample_value(name, labels)

    def authorities(self) -> set[str]:
        return {ApiService.of(one).authorities for one in self.cluster.services.values()}


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path)


async def test_it_registers_at_the_start_and_leaves_alone_what_is_as_it_should_be(running: Running) -> None:
    await running.keeper.turn()
    names = [f"v1beta1.{CUSTOM}", f"v1beta2.{CUSTOM}", f"v1beta1.{EXTERNAL}"]
    assert running.cluster.applied == names
    assert running.authorities() == {running.own.authorities}
    await running.keeper.turn()
    assert running.cluster.applied == names
    assert running.metric("tidecast_registration_success") == 1


async def test_a_foreign_group_is_left_alone_and_told_once(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.cluster.add(api_service(f"v1beta1.{CUSTOM}", OTHER))
    for _ in range(3):
        await running.keeper.turn()
    assert not running.cluster.applied
    assert running.metric("tidecast_registration_success") == 0
    assert running.metric("tidecast_foreign_apiservices", group=CUSTOM) == 1
    assert running.metric("tidecast_foreign_apiservices", group=EXTERNAL) == 0
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert f"v1beta1 belongs to {OTHER}" in told


async def test_one_that_comes_later_is_told_and_not_overwritten(running: Running) -> None:
    await running.keeper.turn()
    foreign = api_service(f"v1beta1.{CUSTOM}", OTHER)
    running.cluster.add(foreign)
    await running.keeper.turn()
    assert running.metric("tidecast_registration_success") == 0
    assert running.cluster.services[f"v1beta1.{CUSTOM}"] == foreign
    assert f"v1beta1.{CUSTOM}" not in running.cluster.applied[3:]


async def test_one_that_comes_between_look_and_apply_is_not_overwritten(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = api_service(f"v1beta1.{CUSTOM}", OTHER)
    running.cluster.add(foreign)
    with monkeypatch.context() as patched:
        patched.setattr(running.cluster, "get", lambda path: {"items": []})
        await running.keeper.turn()
    assert running.cluster.services[f"v1beta1.{CUSTOM}"] == foreign
    assert running.cluster.applied == [f"v1beta2.{CUSTOM}", f"v1beta1.{EXTERNAL}"]
    assert running.metric("tidecast_registration_success") == 0
    assert "Apply failed with 1 conflict" in caplog.text


async def test_a_cluster_that_does_not_answer_is_told_and_asked_again(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.cluster.down = True
    await running.keeper.turn()
    assert "connection refused" in caplog.text
    running.cluster.down = False
    await running.keeper.turn()
    assert running.metric("tidecast_registration_success") == 1


async def test_authorities_that_are_none_are_never_published(running: Running, tmp_path: Path) -> None:
    (tmp_path / "tls" / "ca.crt").write_text("")
    await running.keeper.turn()
    assert not running.cluster.applied
    assert running.metric("tidecast_registration_success") == 0


async def test_a_change_of_certificates_never_serves_what_the_cluster_does_not_know(running: Running) -> None:
    """Each minute, with the certificate looked after six times: the day of the change, and long after it."""
    keeper, own = running.keeper, running.own
    await keeper.turn()
    first, seen = own.certificate.cert_file.read_bytes(), set()
    now = NOW + LIFETIME - RENEWED_BEFORE
    for minute in range(-3, 10):
        for _ in range(6):
            own.step(now + timedelta(minutes=minute), keeper.published == own.authorities)
            (known,) = running.authorities()
            seen.add(own.certificate.cert_file.read_bytes())
            assert verifies(known, own.certificate.cert_file)
        await keeper.turn()
    assert len(seen) == 2
    assert own.certificate.cert_file.read_bytes() != first
    assert own.authorities.count("BEGIN CERTIFICATE") == 1
    assert running.authorities() == {own.authorities}


def verifies(authorities: str, certificate: Path) -> bool:
    served = x509.load_pem_x509_certificate(certificate.read_bytes())
    known = x509.load_pem_x509_certificates(authorities.encode())
    return served.issuer in [one.subject for one in known]
