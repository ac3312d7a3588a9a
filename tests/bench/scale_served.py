"""How old a number is when it is served first."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from cme.core.quantity import parse_quantity

SAMPLE, DECISION = "sample", "decision"
METRICS = {SAMPLE: "qps", DECISION: "qps_scaling"}
"""What is asked for, by what it tells."""
POLL_S = 0.02
"""Between two rounds of questions: an age is seen as so much older at most, and by what the questions take."""


class Place(NamedTuple):
    """A workload."""

    namespace: str
    name: str


class Watch:
    """Asks for a few workloads again and again. What is served at the beginning is not new."""

    def __init__(self, url: str, ca: Path, places: Sequence[Place]) -> None:
        """`url` is where the metrics API listens."""
        self._url = f"{url}/apis/custom.metrics.k8s.io/v1beta2/namespaces"
        self._ca, self._places = ca, places
        self._measured_ms: dict[tuple[Place, str], int] = {}
        self._seen_ms: dict[tuple[str, Place, str], float] = {}
        self._first = set[tuple[str, Place, str]]()
        self._rounds, self.refused = 0, 0
        """`refused`: answers without a number."""

    async def until(self, end: float) -> None:
        """A moment of the monotonic clock."""
        async with self._session() as session:
            while time.monotonic() < end:
                await self._round(session)

    async def served(self, end: float) -> None:
        """Until all has been a number once. Raises TimeoutError at a moment of the monotonic clock."""
        async with self._session() as session:
            while len({(told, place) for told, place, _ in self._seen_ms}) < len(METRICS) * len(self._places):
                if time.monotonic() > end:
                    raise TimeoutError(f"not everything is served; {self.refused} answers had no number")
                await self._round(session)

    def ages_s(self, told: str) -> list[float]:
        """Of what METRICS names so, ascending."""
        return sorted(
            (seen - self._measured_ms[place, at]) / 1000
            for (name, place, at), seen in self._seen_ms.items()
            if name == told and (place, at) in self._measured_ms and (name, place, at) not in self._first
        )

    def _session(self) -> aiohttp.ClientSession:
        context = ssl.create_default_context(cafile=str(self._ca))
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))

    async def _round(self, session: aiohttp.ClientSession) -> None:
        await asyncio.gather(*(self._ask(session, told, p) for told in METRICS for p in self._places))
        self._rounds += 1
        await asyncio.sleep(POLL_S)

    async def _ask(self, session: aiohttp.ClientSession, told: str, place: Place) -> None:
        path = f"{place.namespace}/deployments.apps/{place.name}/{METRICS[told]}"
        async with session.get(f"{self._url}/{path}") as answer:
            found: Any = await answer.json()
        if found["kind"] != "MetricValueList":
            self.refused += 1
            return
        (item,), now_ms = found["items"], time.time_ns() / 1e6
        at = item["timestamp"]
        if told == SAMPLE:
            second = int(datetime.fromisoformat(at).timestamp())
            self._measured_ms[place, at] = 1000 * second + parse_quantity(item["value"]) % 1000
        if self._rounds == 0:
            self._first.add((told, place, at))
        self._seen_ms.setdefault((told, place, at), now_ms)
