"""Keeps `RunningPods` at what the cluster says: one list of all, then a watch in short rounds."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from adapter.running import RunningPods, names_of
from cme.core.clock import Clock
from cme.core.errors import KubeFailed, KubeGone
from cme.runtime.telemetry import AdapterTelemetry

log = logging.getLogger("tidecast.adapter")

PODS = "/api/v1/pods?fieldSelector=status.phase%3DRunning"
"""Of those that stop to run, as a failed one does, a watch says DELETED: the metadata alone need not tell."""
PAGE = 500
ROUND_S = 5
"""A round's end proves that nothing is missing, and a connection that died in silence is found out by the next."""
HASTY_MS = 1_000
"""A round that ends sooner is a failure: a server that ends each at once must not be asked without pause."""
RETRY_MS = 1_000

Json = Mapping[str, Any]


class Watch(Protocol):
    def __iter__(self) -> Iterator[Json]:
        """Events until the round is over or `close` is called. Raises KubeFailed, KubeGone."""

    def close(self) -> None:
        """End it, from any thread."""


class Cluster(Protocol):
    """The blocking client of cme.kube."""

    def metadata(self, path: str) -> Json:
        """A PartialObjectMetadataList. Raises KubeFailed, KubeGone."""

    def watch(self, path: str, seconds: int) -> Watch:
        """A watch of metadata that the server ends after so long. Raises KubeFailed, KubeGone."""


class PodWatch:
    """Goes on from where the last round ended, so that a lost connection leaves no hole.

    Where the cluster no longer remembers that, everything is listed again.
    """

    def __init__(self, cluster: Cluster, clock: Clock, telemetry: AdapterTelemetry) -> None:
        self._cluster, self._clock, self._telemetry = cluster, clock, telemetry
        self.running = RunningPods(clock)
        self._version = ""
        self._watch: Watch | None = None
        self._stopped = False
        self._problem = ""

    async def turn(self) -> None:
        """Follow the cluster until it fails; the failure is logged when it is another than the last."""
        try:
            await asyncio.to_thread(self._follow)
        except asyncio.CancelledError:
            self._stop()
            raise
        except KubeFailed as error:
            if self._problem != str(error):
                log.warning("pods are not watched: %s", error)
            self._problem = str(error)
        finally:
            self._telemetry.pod_watch_success.set(0)

    def _stop(self) -> None:
        self._stopped = True
        if watch := self._watch:
            watch.close()

    def _follow(self) -> None:
        """Rounds without a pause between them. Raises KubeFailed."""
        while not self._stopped:
            try:
                self._version = self._version or self._list()
                self._round()
            except KubeGone:
                self._version = ""
                raise

    def _list(self) -> str:
        """Start anew; returns the version of the list. Raises KubeFailed."""
        self._telemetry.pod_lists.inc()
        begun, names, more = self._clock.monotonic_ms(), set[str](), ""
        while not self._stopped:
            page = self._cluster.metadata(f"{PODS}&limit={PAGE}{more}")
            names |= names_of(page["items"] or ())  # null when there is none
            if not page["metadata"].get("continue"):
                self.running.begin(names, begun)
                return str(page["metadata"]["resourceVersion"])
            more = f"&continue={quote(page['metadata']['continue'])}"
        raise KubeFailed("stopped while pods were listed")

    def _round(self) -> None:
        begun = self._clock.monotonic_ms()
        path = f"{PODS}&watch=true&allowWatchBookmarks=true&resourceVersion={quote(self._version)}"
        self._watch = self._cluster.watch(path, ROUND_S)
        if self._stopped:  # while it was opened: `_stop` may not have seen it
            self._watch.close()
        for event in self._watch:
            self.running.take(event)
            self._version = str(event["object"]["metadata"]["resourceVersion"])
        if self._stopped:
            return
        if self._clock.monotonic_ms() - begun < HASTY_MS:
            raise KubeFailed("the API server ended a watch of pods at once")
        self.running.confirm()
        self._problem = ""
        self._telemetry.pod_watch_success.set(1)
