"""The certificate that the program makes for itself, and its change without a moment in which clients refuse it.

Each certificate has an authority of its own whose key is thrown away: it can sign nothing else, and no key but the
server's is kept. A change has three steps: the new authority is told beside the old one while the old certificate is
served; once all who verify know both, the new certificate is served; then the old authority is told no more.
"""

import contextlib
import ipaddress
import os
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cme.core.settings import Certificate, Registration, Settings
from cme.log.database import fsync

CA_FILE, SERVER_FILE = "ca.crt", "server.pem"
LIFETIME = timedelta(days=365)
RENEWED_BEFORE = timedelta(days=30)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def tls_folder(settings: Settings) -> Path:
    """Where the certificate and its authorities stand: kept across restarts."""
    return settings.data / "tls"


def names_of(registration: Registration | None) -> tuple[str, ...]:
    """By which names the server is asked for: this machine's, and the aggregator's for the Service."""
    service = [f"{registration.service}.{registration.namespace}.svc"] if registration else []
    return (*_LOOPBACK, *service)


class OwnCertificate:
    """Files of a folder: ca.crt (authorities, PEM), server.pem (certificate and key), next.pem (the coming one)."""

    def __init__(self, folder: Path, names: Sequence[str], now: datetime) -> None:
        """Makes one when there is none that is valid for all names, or it is over. Raises OSError."""
        self._names = names
        self._authorities, self._current, self._next = (
            folder / name for name in (CA_FILE, SERVER_FILE, "next.pem")
        )
        folder.mkdir(parents=True, exist_ok=True)
        self._make_current(now)

    @property
    def certificate(self) -> Certificate:
        """The one to serve."""
        return Certificate(cert_file=self._current, key_file=self._current)

    @property
    def authorities(self) -> str:
        """PEM of all that verify what is or will be served."""
        return self._authorities.read_text()

    def step(self, now: datetime, known: bool) -> None:
        """The next step of a change, if one is due. `known`: all who verify have `authorities`. Raises OSError."""
        if not self._lasts(self._current, now):
            self._make_current(now)
        elif self._lasts(self._next, now):
            if known:
                self._next.replace(self._current)
        elif not self._lasts(self._current, now + RENEWED_BEFORE):
            authority = self._issue(self._next, now)
            self._tell([*self._told(), authority])
        else:
            self._tell([one for one in self._told() if signed(self._certificate(self._current), one)])

    def _make_current(self, now: datetime) -> None:
        """At once, where nothing can be served: whoever verifies must learn of it afterwards."""
        if not self._lasts(self._current, now):
            self._next.unlink(missing_ok=True)
            self._tell([self._issue(self._current, now)])

    def _lasts(self, path: Path, then: datetime) -> bool:
        """Whether a pair is there, fits together, is valid then for all names, and is verified by an authority told."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
            certificate = self._certificate(path)
            told = any(signed(certificate, authority) for authority in self._told())
        except (OSError, ValueError):
            return False
        return told and then < certificate.not_valid_after_utc and set(self._names) <= _valid_for(certificate)

    def _certificate(self, path: Path) -> x509.Certificate:
        return x509.load_pem_x509_certificate(path.read_bytes())

    def _told(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self._authorities.read_bytes())

    def _tell(self, authorities: Sequence[x509.Certificate]) -> None:
        pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in authorities)
        if not self._authorities.exists() or self._authorities.read_bytes() != pem:
            _write(self._authorities, pem, 0o644)

    def _issue(self, path: Path, now: datetime) -> x509.Certificate:
        """Write a pair; the authority that signed it."""
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        # Names differ, for Go and OpenSSL look for an authority by its name first.
        issuer = _name(f"tidecast, generated {now:%Y-%m-%d %H:%M:%S}")
        authority = (
            _builder(issuer, issuer, ca_key, now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS_CERTIFICATES, critical=True)  # strict clients (Python 3.13) ask for it
            .sign(ca_key, hashes.SHA256())
        )
        names = x509.SubjectAlternativeName([_general(name) for name in self._names])
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        certificate = (
            _builder(_name("tidecast"), issuer, key, now)
            .add_extension(names, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(signer, critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        _write(path, certificate.public_bytes(pem) + private, 0o600)
        return authority


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # a clock a little behind must not refuse it
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _valid_for(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the authority signed the certificate itself."""
    with contextlib.suppress(ValueError, TypeError, InvalidSignature):
        certificate.verify_directly_issued_by(authority)
        return True
    return False


def _write(path: Path, content: bytes, mode: int) -> None:
    """As a whole or not at all, also after a loss of power, and readable for nobody else from its first byte on."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    fsync(path.parent)
