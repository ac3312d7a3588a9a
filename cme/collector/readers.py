"""Open sources and the signals they serve."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cme.collector.sampling import Sampler
from cme.core.identity import SeriesKey, stable_id
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings
from cme.sources.protocol import Source
from cme.sources.registry import check_source


@dataclass(slots=True)
class Reader:
    """One open source and the signals it serves: two signals with the same spec share one read."""

    name: str
    source: Source
    signals: list[tuple[SeriesKey, str, Sampler]]  # series, workload label's value, memory


def readers_of(
    policies: Sequence[ScalingPolicy], settings: Settings, known: Mapping[str, Reader]
) -> dict[str, Reader]:
    """By identity a reader for each distinct source. What is `known` keeps its source and the memory of its signals,
    so that a policy's change makes no gap in what did not change. Raises InvalidInput."""
    readers: dict[str, Reader] = {}
    memory = {(source, key): sampler for source, one in known.items() for key, _, sampler in one.signals}
    for policy, signal in ((p, s) for p in policies for s in p.spec.signals):
        # The namespace, for a connection that one may use can be forbidden to another.
        namespace, key = policy.metadata.namespace, policy.series(signal)
        identity = json.dumps([namespace, signal.source], sort_keys=True)
        kind, spec, connection = check_source(
            signal.source, settings.connections, namespace, f"policy {policy.key}"
        )
        before = known.get(identity)
        if identity not in readers:
            name = _reader_name(namespace, signal.source, identity)
            readers[identity] = Reader(name, before.source if before else kind.open(spec, connection), [])
        workload = policy.spec.target_ref.name if getattr(spec, "workload_label", None) else ""
        sampler = memory.get((identity, key)) or _sampler(settings)
        readers[identity].signals.append((key, workload, sampler))
    return readers


def _sampler(settings: Settings) -> Sampler:
    # A window shorter than a tick would make a gap of every reading.
    return Sampler(settings.rate_window, 3 * max(settings.rate_window, settings.tick))


def _reader_name(namespace: str, source: dict[str, Any], identity: str) -> str:
    """Short and stable: the kind and what tells it from others of its kind."""
    kind, spec = next(iter(source.items()))
    detail = ",".join(str(v) for v in spec.values()) if isinstance(spec, dict) else str(spec)
    name = f"{namespace}/{kind}:{detail}"
    return name if len(name) <= 120 else f"{name[:100]}... {stable_id(identity):016x}"
