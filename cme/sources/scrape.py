"""Scrape: a metric of given targets in Prometheus' text format, summed over the targets.

A target that does not answer, or lacks the metric, is a part that failed: never 0. Counters become rates.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample, Timestamp
from pydantic import Field

from cme.core.documents import Document
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection
from cme.sources.http import Answer, HttpReader
from cme.sources.protocol import SourceFailed, SourceKind

MAX_BYTES = 16 << 20
_COUNTERS = ("_total", "_count", "_sum", "_bucket")
"""Names that Prometheus' conventions reserve for counters: their rate is the load."""

Target = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class Spec(Document):
    """A metric of pages in Prometheus' text format."""

    targets: frozenset[Target] = Field(min_length=1, max_length=1000)
    """URLs of the pages."""
    metric: str = Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    """Its name; a counter becomes a rate."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Only series with these labels count."""
    connection: str | None = None
    """Of the settings, by name, where the pages want a token or a CA."""


class Scrape:
    def __init__(self, spec: Spec, connection: Connection | None) -> None:
        self._spec, self._http = spec, HttpReader(connection)

    async def read(self, now_ms: int, timeout_s: float) -> Harvest:
        targets = sorted(self._spec.targets)
        answers = await asyncio.gather(*(self._target(url, now_ms, timeout_s) for url in targets))
        readings = [reading for reading, _ in answers if reading]
        failures = [failure for _, failure in answers if failure]
        if not readings:
            raise SourceFailed(failures[0])
        return Harvest(readings, {"": len(targets)}, failures, self._spec.metric.endswith(_COUNTERS))

    async def close(self) -> None:
        await self._http.close()

    async def _target(self, url: str, now_ms: int, timeout_s: float) -> tuple[Reading | None, str]:
        """The target's reading, or why there is none."""
        try:
            answer = await self._http.read("GET", url, MAX_BYTES, timeout_s)
            if answer.status != 200:
                raise SourceFailed(f"{url}: status {answer.status}")
            # In a thread: a large answer takes seconds to parse, and the other sources must not wait for it.
            return await asyncio.to_thread(self._reading, url, answer, now_ms), ""
        except SourceFailed as error:
            return None, str(error)

    def _reading(self, url: str, answer: Answer, now_ms: int) -> Reading:
        try:
            samples = list(self._samples(answer))
            values = [float(s.value) for s in samples]  # the parser gives integers, of any size
            times = [now_ms if s.timestamp is None else _milliseconds(s.timestamp) for s in samples]
        except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
            raise SourceFailed(f"{url}: the answer is not in Prometheus' text format") from None
        if not samples:
            labels = "".join(f" {k}={v!r}" for k, v in self._spec.labels.items())
            raise SourceFailed(f"{url}: there is no metric {self._spec.metric}{labels}")
        if len({tuple(sorted(s.labels.items())) for s in samples}) < len(samples):
            raise SourceFailed(f"{url}: a series of {self._spec.metric} is there twice")
        # One negative series is shown as it is, to be refused by name; in the sum it would only lessen the load.
        return Reading(url, min(values) if min(values) < 0 else sum(values), min(times))

    def _samples(self, answer: Answer) -> Iterator[Sample]:
        """The series that the spec names."""
        text = answer.body.decode()
        parse: Callable[[str], Iterable[Metric]] = parse_openmetrics
        if "openmetrics" not in answer.content_type:
            text, parse = _lines_about(self._spec.metric, text), parse_text
        for sample in (s for family in parse(text) for s in family.samples):
            if sample.name == self._spec.metric and self._spec.labels.items() <= sample.labels.items():
                yield sample


def _lines_about(metric: str, text: str) -> str:
    """Only these, as parsing a line costs a hundred times as much as leaving it out. Raises ValueError."""
    if not text.endswith("\n"):
        raise ValueError("cut off: the format's last line ends with a line feed, too")
    return "\n".join(line for line in text.split("\n") if line.lstrip().startswith(metric))


def _milliseconds(timestamp: float | Timestamp) -> int:
    """Of the time that the target gave itself, as one does that hands on values of others."""
    return max(0, round(float(timestamp) * 1000))


KIND = SourceKind("scrape", Spec, Scrape)
