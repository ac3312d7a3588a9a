"""Scrape: a metric of given targets in Prometheus' text format, summed over the targets.

A target that does not answer, or lacks the metric, is a part that failed: never 0. Counters become rates.
"""

import asyncio
from collections.abc import Iterator
from typing import Annotated

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from pydantic import Field

from cme.core.documents import Document
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection
from cme.sources.http import HttpReader
from cme.sources.protocol import SourceFailed, SourceKind

MAX_BYTES = 16 << 20
_COUNTERS = ("_total", "_count", "_sum", "_bucket")
"""Names that Prometheus' conventions reserve for counters: their rate is the load."""

Target = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class Spec(Document):
    targets: tuple[Target, ...] = Field(min_length=1, max_length=1000)
    metric: str = Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    labels: dict[str, str] = Field(default_factory=dict)
    connection: str | None = None


class Scrape:
    def __init__(self, spec: Spec, connection: Connection | None) -> None:
        self._spec, self._http = spec, HttpReader(connection)

    async def read(self, now_ms: int) -> Harvest:
        answers = await asyncio.gather(*(self._target(url, now_ms) for url in self._spec.targets))
        readings = [reading for reading, _ in answers if reading]
        failures = [failure for _, failure in answers if failure]
        if not readings:
            raise SourceFailed(sorted(failures)[0])
        return Harvest(
            readings, {"": len(self._spec.targets)}, failures, self._spec.metric.endswith(_COUNTERS)
        )

    async def close(self) -> None:
        await self._http.close()

    async def _target(self, url: str, now_ms: int) -> tuple[Reading | None, str]:
        """The target's reading, or why there is none."""
        try:
            status, content_type, body = await self._http.read("GET", url, MAX_BYTES)
            if status != 200:
                raise SourceFailed(f"{url}: status {status}")
            return Reading(url, self._sum(url, content_type, body), now_ms), ""
        except SourceFailed as error:
            return None, str(error)

    def _sum(self, url: str, content_type: str, body: bytes) -> float:
        values = list(self._matching(url, content_type, body))
        if not values:
            labels = "".join(f" {k}={v!r}" for k, v in self._spec.labels.items())
            raise SourceFailed(f"{url}: there is no metric {self._spec.metric}{labels}")
        return sum(values)

    def _matching(self, url: str, content_type: str, body: bytes) -> Iterator[float]:
        parse = parse_openmetrics if "openmetrics" in content_type else parse_text
        try:
            for family in parse(body.decode()):
                for sample in family.samples:
                    wanted = self._spec.labels.items()
                    if sample.name == self._spec.metric and wanted <= sample.labels.items():
                        yield sample.value
        except (ValueError, KeyError, IndexError):
            raise SourceFailed(f"{url}: the answer is not in Prometheus' text format") from None


KIND = SourceKind("scrape", Spec, Scrape)
