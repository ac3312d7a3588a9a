"""Keeps a collection at what the cluster says: one list of all, then a watch in short rounds."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from prometheus_client import Counter, Gauge

from cme.core.clock import Clock
from cme.core.errors import KubeFailed, KubeGone

log = logging.getLogger("tidecast")

PAGE = 500
ROUND_S = 5
"""A round's end proves that nothing is missing, and a connection that died in silence is found out by the next."""
HASTY_MS = 1_000
"""A round that ends sooner is a failure: a server that ends each at once must not be asked without pause."""
RETRY_MS = 1_000
"""Between two turns of a reflector."""

Json = Mapping[str, Any]


class Watch(Protocol):
    def __iter__(self) -> Iterator[Json]:
        """Events until the round is over or `close` is called. Raises KubeFailed, KubeGone."""

    def close(self) -> None:
        """End it, from any thread."""


class Lists(Protocol):
    """A reader of cme.kube."""

    def get(self, path: str) -> Json:
        """A list of objects. Raises KubeFailed, KubeGone."""


class Cluster(Lists, Protocol):
    """The same with its watches."""

    def watch(self, path: str, seconds: int) -> Watch:
        """A watch that the server ends after so long. Raises KubeFailed, KubeGone."""


class Collection(Protocol):
    """What is kept of the objects. A reflector's thread writes."""

    def begin(self, objects: Iterable[Json], whole_ms: int) -> None:
        """Start anew from all objects, asked for at a monotonic moment; what was known stands while they still come,
        and when to iterate raises KubeFailed."""

    def take(self, event: Json) -> None:
        """An event of the watch: ADDED, MODIFIED, DELETED or BOOKMARK."""

    def confirm(self) -> None:
        """No event until now is missing."""


@dataclass(frozen=True)
class WatchTelemetry:
    lists: Counter
    success: Gauge


class Reflector:
    """Goes on from where the last round ended, so that a lost connection leaves no hole.

    Where the cluster no longer remembers that, everything is listed again.
    """

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        collection: Collection,
        clock: Clock,
        telemetry: WatchTelemetry,
    ) -> None:
        self._cluster, self._collection = cluster, collection
        self._path = f"{path}{'&' if '?' in path else '?'}"
        self._clock, self._telemetry = clock, telemetry
        self._version = ""
        self._watch: Watch | None = None
        self._stopped = False
        self._problem = ""
        self.tried = False
        """Whether all have been listed once, or could not be."""

    async def turn(self) -> None:
        """Follow the cluster until it fails; the failure is logged when it is another than the last."""
        try:
            await asyncio.to_thread(self._follow)
        except asyncio.CancelledError:
            self._stop()
            raise
        except KubeFailed as error:
            if self._problem != str(error):
                log.warning("%s is not watched: %s", self._path.split("?")[0], error)
            self._problem = str(error)
        finally:
            self._telemetry.success.set(0)

    def _stop(self) -> None:
        self._stopped = True
        if watch := self._watch:
            watch.close()

    def _follow(self) -> None:
        """Rounds without a pause between them. Raises KubeFailed."""
        while not self._stopped:
            try:
                if not self._version:
                    self._begin()
                self._round()
            except KubeGone:
                self._version = ""
                raise

    def _begin(self) -> None:
        """Start anew. Raises KubeFailed."""
        self._telemetry.lists.inc()
        pages = Pages(self._cluster, self._path)
        try:
            self._collection.begin(self._until_stopped(pages), self._clock.monotonic_ms())
        finally:
            self.tried = True
        self._version = pages.version

    def _until_stopped(self, objects: Iterable[Json]) -> Iterator[Json]:
        for one in objects:
            if self._stopped:
                raise KubeFailed("stopped while all were listed")
            yield one

    def _round(self) -> None:
        begun = self._clock.monotonic_ms()
        path = f"{self._path}watch=true&allowWatchBookmarks=true&resourceVersion={quote(self._version)}"
        self._watch = self._cluster.watch(path, ROUND_S)
        if self._stopped:  # while it was opened: `_stop` may not have seen it
            self._watch.close()
        for event in self._watch:
            self._collection.take(event)
            self._version = str(event["object"]["metadata"]["resourceVersion"])
        if self._stopped:
            return
        if self._clock.monotonic_ms() - begun < HASTY_MS:
            raise KubeFailed("the API server ended the watch at once")
        self._collection.confirm()
        self._problem = ""
        self._telemetry.success.set(1)


class Pages:
    """All objects of a collection, page by page; then `version` is that of the list. To iterate raises KubeFailed, KubeGone."""

    def __init__(self, cluster: Lists, path: str) -> None:
        """`path` takes parameters at its end: it ends with `?` or `&`."""
        self._cluster, self._path = cluster, path
        self.version = ""

    def __iter__(self) -> Iterator[Json]:
        more = ""
        while True:
            page = self._cluster.get(f"{self._path}limit={PAGE}{more}")
            yield from page["items"] or ()  # null when there is none
            if not page["metadata"].get("continue"):
                self.version = str(page["metadata"]["resourceVersion"])
                return
            more = f"&continue={quote(page['metadata']['continue'])}"
