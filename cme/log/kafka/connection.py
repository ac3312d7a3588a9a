"""How kafka-python's clients are made, and what becomes of their errors.

Brokers of version 2.7 on, which tell a producer that has been replaced from one that was too slow
(https://cwiki.apache.org/confluence/display/KAFKA/KIP-588).
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from kafka import KafkaProducer
from kafka.errors import AuthorizationError

from cme.core.settings import KafkaLink
from cme.kafka import ERRORS, Admin, Consumer, cause
from cme.log.protocol import LogFailed

TIMEOUT_MS = 5_000
"""Of a question to a broker."""


def admin(link: KafkaLink) -> Admin:
    """Raises KafkaError."""
    return Admin(**_common(link))


def consumer(link: KafkaLink, **more: Any) -> Consumer:
    """Of what is committed, unless `more` says otherwise. Raises KafkaError."""
    config: dict[str, Any] = {
        "metrics_enabled": False,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "auto_offset_reset": "earliest",  # what retention has removed is passed over
        "fetch_max_wait_ms": 100,
        "fetch_max_bytes": 16 << 20,
    }
    return Consumer(**(_common(link) | config | more))


def producer(link: KafkaLink, transactional_id: str) -> KafkaProducer:
    """Raises KafkaError."""
    return KafkaProducer(
        **_common(link),
        transactional_id=transactional_id,
        transaction_timeout_ms=3 * TIMEOUT_MS,
        delivery_timeout_ms=2 * TIMEOUT_MS,
        max_block_ms=2 * TIMEOUT_MS,
        metrics_enabled=False,
    )


@contextlib.contextmanager
def told_clearly(link: KafkaLink, what: str) -> Iterator[None]:
    """kafka-python's errors as LogFailed, by their kind only: its texts hold ages and ids that change while the cause does
    not."""
    try:
        yield
    except ERRORS as error:
        raise LogFailed(f"kafka at {link.address}: {what}: {cause(error)}; {_advice(link, error)}") from error


def _common(link: KafkaLink) -> dict[str, Any]:
    return {
        "bootstrap_servers": [part.strip() for part in link.address.split(",")],
        "client_id": "tidecast",
        "request_timeout_ms": TIMEOUT_MS,
        "bootstrap_timeout_ms": TIMEOUT_MS,
        "security_protocol": ("SASL_" if link.sasl else "") + ("SSL" if link.tls else "PLAINTEXT"),
        **_tls(link),
        **_sasl(link),
    }


def _tls(link: KafkaLink) -> dict[str, Any]:
    if link.tls is None:
        return {}
    files = {
        "ssl_cafile": link.tls.ca_file,
        "ssl_certfile": link.tls.cert_file,
        "ssl_keyfile": link.tls.key_file,
    }
    return {name: str(path) for name, path in files.items() if path}


def _sasl(link: KafkaLink) -> dict[str, Any]:
    """The files are read anew for each client: a changed password counts from the next one on. Raises OSError."""
    if link.sasl is None:
        return {}
    return {
        "sasl_mechanism": link.sasl.mechanism,
        "sasl_plain_username": link.sasl.user_file.read_text().strip(),
        "sasl_plain_password": link.sasl.password_file.read_text().strip(),
    }


def _advice(link: KafkaLink, error: Exception) -> str:
    if isinstance(error, AuthorizationError):
        return "give our user the rights that docs/settings.md names"
    if isinstance(error, OSError):
        return "look at the files that log.kafka names"
    # A broker that does not take a password or a certificate is told by kafka-python as one that can't be reached.
    named = [f"log.kafka.{name}" for name in ("tls", "sasl") if getattr(link, name)]
    return " ".join(
        ["see whether it runs and can be reached", *(["with", " and ".join(named)] if named else [])]
    )
