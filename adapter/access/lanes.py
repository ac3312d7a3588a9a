"""Reviews by the cluster, asked in threads: so many at once for each who is asked about, and no more than so many wait.

Who floods the adapter with made-up tokens or paths waits for himself alone: the API server is not flooded in turn, and the
review that the HPA needs once a minute does not stand behind thousands of others.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from weakref import WeakValueDictionary

from cme.core.errors import KubeFailed

AT_ONCE, WAITING = 4, 64
"""Of a lane: reviews that are under way, and those that wait for that."""
THREADS = 32


class Cluster(Protocol):
    """The blocking client of cme.kube."""

    def get(self, path: str) -> Mapping[str, Any]:
        """Raises KubeFailed."""

    def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises KubeFailed."""


class _Lane:
    def __init__(self) -> None:
        self._free, self._inside = asyncio.Semaphore(AT_ONCE), 0

    @contextlib.asynccontextmanager
    async def turn(self, path: str) -> AsyncIterator[None]:
        """Raises KubeFailed."""
        if self._inside >= AT_ONCE + WAITING:
            raise KubeFailed(f"POST {path}: too many reviews of the same user wait already")
        self._inside += 1
        try:
            async with self._free:
                yield
        finally:
            self._inside -= 1


class Lanes:
    """A lane for each user of a SubjectAccessReview, and one for all tokens, whose users nobody knows yet."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._threads = ThreadPoolExecutor(THREADS, "reviews")
        self._lanes: WeakValueDictionary[str, _Lane] = WeakValueDictionary()

    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the API server makes of a review. Raises KubeFailed, also when too many wait."""
        user = body["spec"].get("user", "")
        lane = self._lanes.setdefault(user, _Lane())
        async with lane.turn(path):
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._cluster.post, path, body
            )
