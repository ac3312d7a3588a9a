"""Settings of the process and the policies beside them, from one YAML file of several documents."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cme.core.documents import Document, parse_document
from cme.core.durations import Duration, parse_duration
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.policy_fields import Amount

MetricsGroup = Literal["custom.metrics.k8s.io", "external.metrics.k8s.io"]


def among(namespaces: Sequence[str], namespace: str) -> bool:
    """Whether a list of namespaces, in which `*` means all, holds one."""
    return "*" in namespaces or namespace in namespaces


class Connection(Document):
    """Where a source reads: the administrator's, a policy only names it.

    `address` is a URL (Prometheus) or a comma-separated list of HOST:PORT (Kafka). Credentials are files, so
    that they can be rotated and never stand in a policy.
    """

    address: str = Field(min_length=1)
    ca_file: Path | None = None
    token_file: Path | None = None
    namespaces: tuple[str, ...] = ("*",)

    def allows(self, namespace: str) -> bool:
        return among(self.namespaces, namespace)


class Kubernetes(Document):
    """How to reach the cluster: a kubeconfig file, or the pod's own service account when none is given."""

    kubeconfig: Path | None = None


class Certificate(Document):
    """Serving certificate of the metrics API, PEM. `ca_file` verifies it: what a registration publishes."""

    cert_file: Path
    key_file: Path
    ca_file: Path | None = None


class LogLink(Certificate):
    """Where a log is served or followed, HOST:PORT, with mutual TLS: `ca_file` verifies the other side, the
    certificate shows who we are to it."""

    address: str
    ca_file: Path

    @field_validator("address")
    @classmethod
    def _is_address(cls, text: str) -> str:
        split_address(text, "address")
        return text


class KafkaSasl(Document):
    """A user and a password, each in a file."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    user_file: Path
    password_file: Path


class KafkaTls(Document):
    """`ca_file` verifies the brokers; a certificate shows who we are to them, where they ask for one. PEM."""

    ca_file: Path
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _is_pair(self) -> "KafkaTls":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("certFile and keyFile belong together: give both or none")
        return self


class KafkaLink(Document):
    """The log on Kafka. `address` is a comma-separated list of HOST:PORT; the topics' names begin with `prefix` and a dot."""

    address: str
    prefix: str = Field(default="tidecast", pattern=r"^[a-zA-Z0-9_-]{1,100}$")
    partitions: int = Field(default=8, ge=1, le=256)
    replication: int = Field(default=3, ge=1, le=9)
    buffer: Amount = 256e6
    tls: KafkaTls | None = None
    sasl: KafkaSasl | None = None

    @field_validator("address")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        for part in text.split(","):
            split_address(part.strip(), "address")
        return text


class LogPlace(Document):
    """Where the log is, if not in `data`."""

    kafka: KafkaLink


class Registration(Document):
    """Which groups the cluster is to send to this program, and the Service that leads here."""

    groups: tuple[MetricsGroup, ...] = Field(
        default=("custom.metrics.k8s.io", "external.metrics.k8s.io"), min_length=1
    )
    namespace: str = Field(default="tidecast", min_length=1)
    service: str = Field(default="tidecast", min_length=1)
    port: int = Field(default=443, ge=1, le=65535)


class Settings(Document):
    """Each field is described in docs/settings.md; a test holds the two together."""

    api_version: Literal["tidecast.dev/v1alpha1"] = "tidecast.dev/v1alpha1"
    kind: Literal["Settings"] = "Settings"
    data: Path = Path("tidecast-data")
    http: str = "127.0.0.1:8080"
    https: str = "127.0.0.1:8443"
    tick: Duration = parse_duration("5s")
    rate_window: Duration = parse_duration("30s")
    stale_after: Duration = parse_duration("60s")
    forecast_stale_after: Duration = parse_duration("3m")
    shutdown_delay: Duration = parse_duration("5s")
    unwritten: Amount = 64e6
    forecast_preset: Literal["best", "fast"] = "best"
    policies_per_namespace: int = Field(default=500, ge=1)
    scrape_namespaces: tuple[str, ...] = ()
    connections: dict[str, Connection] = Field(default_factory=dict)
    kubernetes: Kubernetes | None = None
    certificate: Certificate | None = None
    registration: Registration | None = None
    serve_log: LogLink | None = None
    follow_log: LogLink | None = None
    log: LogPlace | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if not 1_000 <= self.tick <= 60_000:
            raise ValueError("tick must be from 1s to 1m")
        for name in ("http", "https"):
            split_address(getattr(self, name), name)
        if self.registration and self.kubernetes is None:
            raise ValueError("registration needs a cluster; add kubernetes: {}")
        if self.registration and self.certificate and self.certificate.ca_file is None:
            raise ValueError("registration needs the authority of the certificate; add certificate.caFile")
        if self.serve_log and self.follow_log:
            raise ValueError("serveLog is of tidecast up, followLog of tidecast serve: keep one of them")
        if self.log and (self.serve_log or self.follow_log):
            raise ValueError("a log on Kafka is read there by all: keep log, or serveLog and followLog")
        if self.registration and (self.follow_log or self.log) and self.certificate is None:
            # An APIService has one bundle of authorities: adapters that each made their own would take turns in it.
            raise ValueError("adapters that share a log need the same certificate; add certificate")
        return self

    @property
    def signal_stale_ms(self) -> int:
        """A signal is stale after three ticks, but not before `staleAfter`."""
        return max(3 * self.tick, self.stale_after)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, the policies beside them, and the file that holds them."""

    settings: Settings
    policies: tuple[ScalingPolicy, ...] = ()
    file: Path | None = None


def split_address(text: str, where: str) -> tuple[str, int]:
    """HOST:PORT as a pair. Raises InvalidInput."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise InvalidInput(f"{text!r} is not HOST:PORT", where, "write it like 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def parse_configuration(documents: Sequence[Any], where: str) -> Configuration:
    """At most one Settings document and any number of policies. Raises InvalidInput naming the document."""
    settings: Settings | None = None
    policies: list[ScalingPolicy] = []
    for number, document in enumerate(documents, 1):
        place = f"{where}, document {number}"
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind == "ScalingPolicy":
            policies.append(parse_document(ScalingPolicy, document, place))
        elif kind == "Settings" and settings is None:
            settings = parse_document(Settings, document, place)
        else:
            problem = "a second Settings document" if kind == "Settings" else f"unknown kind {kind!r}"
            raise InvalidInput(problem, place, "write one of kind Settings, all others of kind ScalingPolicy")
    return Configuration(settings or Settings(), _distinct(policies, where))


def clashes(policies: Sequence[ScalingPolicy]) -> Iterator[tuple[int, int, str]]:
    """Earlier and later position of policies that can't stand beside each other, and what they share."""
    for what, keys in (
        ("name", [p.key for p in policies]),
        ("target", [str(p.workload) for p in policies]),
    ):
        first: dict[str, int] = {}
        for position, key in enumerate(keys):
            if first.setdefault(key, position) != position:
                yield first[key], position, f"the {what} {key}"


def _distinct(policies: Sequence[ScalingPolicy], where: str) -> tuple[ScalingPolicy, ...]:
    for _, _, shared in clashes(policies):
        raise InvalidInput(f"policies share {shared}", where, "keep one policy per workload")
    return tuple(policies)
