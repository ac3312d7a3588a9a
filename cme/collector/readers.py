"""Open sources and the signals they serve."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cme.collector.sampling import Sampler
from cme.core.identity import SeriesKey, stable_id
from cme.core.policy import ScalingPolicy, Signal
from cme.core.settings import Connection, Settings
from cme.sources.protocol import Source, SourceKind
from cme.sources.registry import check_source


@dataclass(slots=True)
class Reader:
    """One open source and the signals it serves: two signals with the same spec share one read."""

    name: str
    source: Source
    signals: list[tuple[SeriesKey, str, Sampler]]  # series, workload label's value, memory


def check_sources(policies: Sequence[ScalingPolicy], settings: Settings) -> None:
    """Raises InvalidInput for the first signal whose source can't be opened by these settings."""
    for _ in _checked(policies, settings):
        pass


def open_readers(policies: Sequence[ScalingPolicy], settings: Settings) -> list[Reader]:
    """Readers for all signals, one per distinct source."""
    readers: dict[str, Reader] = {}
    for policy, signal, kind, spec, connection in _checked(policies, settings):
        # The namespace, for a connection that one may use can be forbidden to another.
        namespace = policy.metadata.namespace
        identity = json.dumps([namespace, signal.source], sort_keys=True)
        if identity not in readers:
            name = _reader_name(namespace, signal.source, identity)
            readers[identity] = Reader(name, kind.open(spec, connection), [])
        # A window shorter than a tick would make a gap of every reading.
        sampler = Sampler(settings.rate_window, 3 * max(settings.rate_window, settings.tick))
        workload = policy.spec.target_ref.name if getattr(spec, "workload_label", None) else ""
        readers[identity].signals.append((policy.series(signal), workload, sampler))
    return list(readers.values())


def _checked(
    policies: Sequence[ScalingPolicy], settings: Settings
) -> Iterator[tuple[ScalingPolicy, Signal, SourceKind, Any, Connection | None]]:
    for policy in policies:
        for index, signal in enumerate(policy.spec.signals):
            where = f"policy {policy.key}, spec.signals.{index}.source"
            namespace = policy.metadata.namespace
            yield policy, signal, *check_source(signal.source, settings.connections, namespace, where)


def _reader_name(namespace: str, source: dict[str, Any], identity: str) -> str:
    """Short and stable: the kind and what tells it from others of its kind."""
    kind, spec = next(iter(source.items()))
    detail = ",".join(str(v) for v in spec.values()) if isinstance(spec, dict) else str(spec)
    name = f"{namespace}/{kind}:{detail}"
    return name if len(name) <= 120 else f"{name[:100]}... {stable_id(identity):016x}"
