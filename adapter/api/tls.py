"""Certificates of the metrics API: the administrator's in a cluster, generated ones on a loopback address."""

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cme.core.errors import InvalidInput
from cme.core.settings import Certificate, Settings

CA_FILE = "ca.crt"
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
LIFETIME = timedelta(days=365)
RENEWED_BEFORE = timedelta(days=30)


class ServerTls:
    """What new handshakes are made with. `context` stays the same object for the socket's whole life; what it leads to
    is replaced when the certificate on the disk or the authorities change, and open connections stay as they are."""

    def __init__(self, certificate: Certificate, authorities: str) -> None:
        """`authorities`: PEM of those whose client certificates are accepted, "" to ask for none. Raises InvalidInput."""
        self._certificate, self._authorities = certificate, authorities
        self._seen = self._content()
        self.context = self._current = server_context(certificate, authorities)
        self.context.sni_callback = self._select

    def refresh(self, authorities: str) -> None:
        """Load what has changed. Raises InvalidInput for a pair that does not fit, and goes on with the old one."""
        content = self._content()
        if (content, authorities) != (self._seen, self._authorities):
            self._current = server_context(self._certificate, authorities)
            self._seen, self._authorities = content, authorities

    @property
    def expires(self) -> datetime:
        """When the certificate in use ends."""
        return x509.load_pem_x509_certificate(self._seen[0]).not_valid_after_utc

    def _content(self) -> tuple[bytes, bytes]:
        files = self._certificate.cert_file, self._certificate.key_file
        try:
            return files[0].read_bytes(), files[1].read_bytes()
        except OSError as error:
            raise InvalidInput(
                f"can't be read ({error.strerror})",
                f"certificate {error.filename}",
                "give a PEM certificate and its key",
            ) from None

    def _select(self, connection: ssl.SSLObject, name: str | None, initial: ssl.SSLContext) -> None:
        """OpenSSL calls this amid each handshake, also of a client that names no server."""
        connection.context = self._current


def server_context(certificate: Certificate, authorities: str) -> ssl.SSLContext:
    """TLS 1.2 or later; asks for a client certificate of the authorities (PEM), "" for none. Raises InvalidInput."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
    except OSError as error:  # ssl.SSLError too
        files = f"certificate {certificate.cert_file} with key {certificate.key_file}"
        raise InvalidInput(
            f"can't be loaded ({error.strerror})", files, "give a PEM certificate and its own key"
        ) from None
    if authorities:
        # Optional: a kubelet that asks for /healthz has none, and everything else is refused without an identity.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=authorities)
    return context


def tls_folder(settings: Settings) -> Path:
    """Where the generated certificate and its CA stand."""
    return settings.data / "tls"


def generated(folder: Path, now: datetime) -> Certificate:
    """A certificate for this machine's loopback names, made anew when missing or soon over. Raises OSError.

    `folder`/ca.crt verifies it. The CA's key is thrown away: it can sign nothing else.
    """
    made = Certificate(cert_file=folder / "server.crt", key_file=folder / "server.key")
    if _lasts(made, now) and (folder / CA_FILE).exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tidecast, generated on this machine")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    ca = (
        _builder(issuer, issuer, ca_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)  # strict clients (Python 3.13) ask for it
        .sign(ca_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::1")]
    server = (
        _builder(subject, issuer, key, now)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    _write_secret(made.key_file, key)
    (folder / CA_FILE).write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.cert_file.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    return made


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


def _lasts(made: Certificate, now: datetime) -> bool:
    """Whether there is a pair that fits together and holds for a while; a renewal may have been cut off in between."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.cert_file, made.key_file)
        certificate = x509.load_pem_x509_certificate(made.cert_file.read_bytes())
    except (OSError, ValueError):
        return False
    return certificate.not_valid_after_utc - now > RENEWED_BEFORE


def _write_secret(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Readable by the owner from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def utc_now() -> datetime:
    return datetime.now(UTC)
