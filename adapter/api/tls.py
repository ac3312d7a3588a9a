"""What handshakes of the metrics API are made with: a certificate on the disk, and whose clients are believed."""

import ssl
from datetime import datetime

from cryptography import x509

from cme.core.errors import InvalidInput
from cme.core.settings import Certificate


class ServerTls:
    """What new handshakes are made with. `context` stays the same object for the socket's whole life; what it leads to
    is replaced when the certificate on the disk or the authorities change, and open connections stay as they are."""

    def __init__(self, certificate: Certificate, authorities: str, required: bool = False) -> None:
        """`authorities`: PEM of those whose client certificates are accepted, "" to ask for none. With `required`
        nobody is served without one. Raises InvalidInput."""
        self._certificate, self._authorities, self._required = certificate, authorities, required
        self._seen = self._content()
        self.context = self._current = server_context(certificate, authorities, required)
        self.context.sni_callback = self._select

    def refresh(self, authorities: str) -> None:
        """Load what has changed. Raises InvalidInput for a pair that does not fit, and goes on with the old one."""
        content = self._content()
        if (content, authorities) != (self._seen, self._authorities):
            self._current = server_context(self._certificate, authorities, self._required)
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


def server_context(certificate: Certificate, authorities: str, required: bool = False) -> ssl.SSLContext:
    """TLS 1.2 or later; asks for a client certificate of the authorities (PEM), "" for none, and insists on it, in each
    handshake of TLS 1.3, when it is `required`. Raises InvalidInput."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
    except OSError as error:  # ssl.SSLError too
        files = f"certificate {certificate.cert_file} with key {certificate.key_file}"
        raise InvalidInput(
            f"can't be loaded ({error.strerror})", files, "give a PEM certificate and its own key"
        ) from None
    if required:
        context.verify_mode = ssl.CERT_REQUIRED
        # A session that is resumed shows no certificate again, and would outlive an authority that is withdrawn.
        context.minimum_version, context.num_tickets = ssl.TLSVersion.TLSv1_3, 0
    elif authorities:
        # Optional: a kubelet that asks for /healthz has none, and everything else is refused without an identity.
        context.verify_mode = ssl.CERT_OPTIONAL
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context
