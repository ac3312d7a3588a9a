"""What a client's certificate says. TLS has verified it against one of the authorities; which one is asked here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class ClientCertificate:
    """`common_name` and `organizations` of the subject: user and groups where the client authority signed it."""

    common_name: str
    organizations: tuple[str, ...]
    not_after: datetime
    der: bytes


@lru_cache(maxsize=1024)
def read_certificate(der: bytes) -> ClientCertificate:
    """A connection's certificate is asked about with every request of it: so many are remembered."""
    subject = x509.load_der_x509_certificate(der).subject

    def texts(oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        return tuple(str(attribute.value) for attribute in subject.get_attributes_for_oid(oid))

    names = texts(NameOID.COMMON_NAME)
    not_after = x509.load_der_x509_certificate(der).not_valid_after_utc
    return ClientCertificate(names[-1] if names else "", texts(NameOID.ORGANIZATION_NAME), not_after, der)


@lru_cache(maxsize=1024)
def is_issued_by(der: bytes, bundle: str) -> bool:
    """Whether one of the authorities in a PEM bundle signed the certificate itself."""
    certificate = x509.load_der_x509_certificate(der)
    return any(_signed(certificate, authority) for authority in _authorities(bundle))


@lru_cache(maxsize=16)
def _authorities(bundle: str) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(bundle.encode())
    except ValueError:
        return ()


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
