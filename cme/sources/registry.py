"""All sources. The Kafka client is imported on first use: who does not read Kafka does not pay for it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from cme.core.documents import Document, parse_document
from cme.core.errors import InvalidInput
from cme.core.settings import Connection
from cme.sources import demo, host, prometheus, scrape
from cme.sources.protocol import Registry, Source, SourceKind


class KafkaSpec(Document):
    """Messages of a topic: those that a group has not yet consumed, or those that arrive."""

    # Here, so that a policy can be checked without Kafka's client.
    connection: str
    """Of the settings, by name."""
    topic: str
    """The topic."""
    measure: Literal["backlog", "arrivals"] = "backlog"
    """What the group has not yet consumed, or what arrives, whoever reads it; backlog by default."""
    group: str | None = None
    """The consumer group of a backlog."""

    @model_validator(mode="after")
    def _fits(self) -> "KafkaSpec":
        if self.measure == "backlog" and self.group is None:
            raise ValueError("a backlog is a consumer group's: give group, or measure arrivals")
        if self.measure == "arrivals" and self.group is not None:
            raise ValueError("arrivals are the topic's, whoever reads them: leave group out")
        return self


def _open_kafka(spec: KafkaSpec, connection: Connection) -> Source:
    from cme.sources.kafka import Kafka

    return Kafka(spec.topic, spec.group, connection.address)


KINDS: Registry = {
    kind.name: kind
    for kind in (
        prometheus.KIND,
        scrape.KIND,
        SourceKind("kafka", KafkaSpec, _open_kafka),
        host.KIND,
        demo.KIND,
    )
}


def open_source(
    source: Mapping[str, Any], connections: Mapping[str, Connection], namespace: str, where: str
) -> Source:
    """The source of a policy's one-key mapping. Raises InvalidInput naming `where`, fault and remedy."""
    kind, spec, connection = check_source(source, connections, namespace, where)
    return kind.open(spec, connection)


def check_source(
    source: Mapping[str, Any], connections: Mapping[str, Connection], namespace: str, where: str
) -> tuple[SourceKind, Any, Connection | None]:
    """The same without opening it."""
    kind, spec = parse_source(source, where)
    return kind, spec, connection_of(spec, connections, namespace, f"{where}.{kind.name}")


def parse_source(source: Mapping[str, Any], where: str) -> tuple[SourceKind, Any]:
    """What a policy's one-key mapping says by itself. Raises InvalidInput, for the kind's own fields InvalidDocument."""
    name, body = next(iter(source.items()))
    if name not in KINDS:
        raise InvalidInput(f"there is no source {name!r}", where, f"use one of {', '.join(sorted(KINDS))}")
    return KINDS[name], parse_document(KINDS[name].spec, body, f"{where}.{name}")


def connection_of(
    spec: Any, connections: Mapping[str, Connection], namespace: str, where: str
) -> Connection | None:
    """The connection that a source's spec names, None if it needs none. Raises InvalidInput."""
    wanted = getattr(spec, "connection", None)
    if wanted is None:
        return None
    if wanted not in connections:
        known = ", ".join(sorted(connections)) or "none"
        raise InvalidInput(f"there is no connection {wanted!r}", where, f"the settings have: {known}")
    if not connections[wanted].allows(namespace):
        raise InvalidInput(
            f"namespace {namespace} may not use connection {wanted!r}", where, "ask who keeps the settings"
        )
    return connections[wanted]
