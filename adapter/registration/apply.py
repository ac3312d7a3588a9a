"""Reads the APIServices of a cluster and brings ours to what the plan says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509

from adapter.api.own_certificate import CA_FILE, tls_folder
from adapter.registration.rule import ApiService, Plan, manifest, planned
from cme.core.errors import InvalidInput
from cme.core.settings import Registration, Settings

API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
FIELD_MANAGER = "tidecast"


class Reader(Protocol):
    """The blocking client of cme.kube."""

    def get(self, path: str) -> Mapping[str, Any]:
        """Raises KubeFailed."""


class Cluster(Reader, Protocol):
    """The same, which writes too."""

    def apply(self, path: str, manifest: Mapping[str, Any], manager: str) -> Mapping[str, Any]:
        """Server-side apply that takes no field from another manager. Raises KubeFailed."""


def look(cluster: Reader, registration: Registration) -> Plan:
    """What is to be done. Raises KubeFailed."""
    found = cluster.get(API_SERVICES).get("items") or ()
    return planned(map(ApiService.of, found), registration)


def changes(plan: Plan, registration: Registration, authorities: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`created` or `changed` and the manifest of each APIService that is not yet as it should be."""
    there = {one.name: one for one in plan.ours}
    for group, version in plan.wanted:
        made = manifest(group, version, registration, authorities)
        found = there.get(made["metadata"]["name"])
        if found is None:
            yield "created", made
        elif any(found.spec.get(key) != value for key, value in made["spec"].items()):
            yield "changed", made


def apply(cluster: Cluster, made: Mapping[str, Any]) -> None:
    """Create or change one of ours. Raises KubeFailed, as when another has come to own it since the look."""
    cluster.apply(f"{API_SERVICES}/{made['metadata']['name']}", made, FIELD_MANAGER)


def authorities_file(settings: Settings) -> Path:
    """Where the authorities of the serving certificate stand."""
    if settings.certificate:
        assert settings.certificate.ca_file  # settings with a registration have it
        return settings.certificate.ca_file
    return tls_folder(settings) / CA_FILE


def read_authorities(path: Path) -> str:
    """PEM for a caBundle. Raises InvalidInput: an empty one would mean the system's authorities."""
    try:
        text = path.read_text()
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "holds no PEM certificate"
        remedy = "run this where `tidecast up` runs, or give certificate.caFile"
        raise InvalidInput(f"the authorities can't be read ({cause})", str(path), remedy) from None
    return text
