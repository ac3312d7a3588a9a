"""The ScalingPolicy objects of the cluster."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GROUP, VERSION, PLURAL = "tidecast.dev", "v1alpha1", "scalingpolicies"
API_VERSION = f"{GROUP}/{VERSION}"
PATH = f"/apis/{API_VERSION}/{PLURAL}"

Json = Mapping[str, Any]

_WRITTEN = ("name", "namespace", "annotations")
"""What people write of an object's metadata and the model knows."""


@dataclass(frozen=True, slots=True)
class PolicyObject:
    """What is kept of one: what is written, as the model takes it, and what was told of it."""

    key: str
    uid: str
    generation: int
    created: str  # ISO 8601, UTC
    document: Json
    status: Json

    @classmethod
    def of(cls, raw: Json) -> "PolicyObject":
        metadata = raw["metadata"]
        written = {name: metadata[name] for name in _WRITTEN if name in metadata}
        document = {
            "apiVersion": API_VERSION,
            "kind": "ScalingPolicy",
            "metadata": written,
            "spec": raw.get("spec"),
        }
        key = f"{metadata['namespace']}/{metadata['name']}"
        generation, created = int(metadata["generation"]), str(metadata["creationTimestamp"])
        return cls(key, metadata["uid"], generation, created, document, raw.get("status") or {})


class PolicyObjects:
    """A reflector's collection: one thread writes, any may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, PolicyObject] = {}
        self.version = 0
        """Grows with every change; 0 until they have been listed."""

    @property
    def newest(self) -> list[PolicyObject]:
        """All, by age."""
        with self._lock:
            objects = list(self._objects.values())
        return sorted(objects, key=lambda one: (one.created, one.key))

    def begin(self, objects: Iterable[Json], whole_ms: int) -> None:
        """Start anew from all objects."""
        found = {one.key: one for one in map(PolicyObject.of, objects)}
        with self._lock:
            self._objects = found
            self.version += 1

    def take(self, event: Json) -> None:
        """ADDED, MODIFIED, DELETED or BOOKMARK."""
        if event["type"] == "BOOKMARK":
            return
        one = PolicyObject.of(event["object"])
        with self._lock:
            if event["type"] == "DELETED":
                self._objects.pop(one.key, None)
            else:
                self._objects[one.key] = one
            self.version += 1

    def confirm(self) -> None:
        """Nothing depends on how old the knowledge is: a policy stands until it is known to be gone."""
