"""Which pods run and are not being deleted, as a watch of the cluster tells them.

The log's list of a workload's pods is up to a tick old. The HPA leaves out pods that fail or are being deleted at once:
a share of such a pod would be load that nobody counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cme.core.clock import Clock

Json = Mapping[str, Any]

PODS = "/api/v1/pods?fieldSelector=status.phase%3DRunning"
"""Of those that stop to run, as a failed one does, a watch says DELETED: the metadata alone need not tell."""

KNOWN_MS = 10_000
"""For so long after the last proof that no event is missing the pods count as known.

Longer than an API server takes to hand over to the next, which must not become an event of every HPA, and shorter than
the HPA's period of 15 s: no two of its turns in a row may rest on pods that have left.
"""


class RunningPods:
    """A reflector's collection, of names only: some 150 bytes a pod. One thread writes, any may read; each step is a
    single operation on a set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._names: set[str] = set()
        self._whole_ms: int | None = None

    @property
    def known(self) -> bool:
        """Whether whatever left until a moment ago is left out."""
        return self._whole_ms is not None and self._clock.monotonic_ms() - self._whole_ms <= KNOWN_MS

    def among(self, namespace: str, names: Iterable[str]) -> Sequence[str] | None:
        """Those of a namespace's pods that run, in the order given; None while that is not known."""
        running = self._names
        return [name for name in names if f"{namespace}/{name}" in running] if self.known else None

    def begin(self, objects: Iterable[Json], whole_ms: int) -> None:
        """Start anew from all running pods, asked for at a monotonic moment."""
        self._names = {_name(pod) for pod in objects if _stays(pod)}
        self._whole_ms = whole_ms

    def take(self, event: Json) -> None:
        """An event of a watch of running pods: ADDED, MODIFIED, DELETED (also of those that no longer run) or BOOKMARK."""
        if event["type"] == "BOOKMARK":  # comes after all events until it was made
            self.confirm()
        elif event["type"] != "DELETED" and _stays(event["object"]):
            self._names.add(_name(event["object"]))
        else:
            self._names.discard(_name(event["object"]))

    def confirm(self) -> None:
        """No event until now is missing."""
        self._whole_ms = self._clock.monotonic_ms()


def _stays(pod: Json) -> bool:
    return not pod["metadata"].get("deletionTimestamp")


def _name(pod: Json) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
