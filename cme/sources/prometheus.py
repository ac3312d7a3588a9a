"""Prometheus: the value of an instant query (https://prometheus.io/docs/prometheus/latest/querying/api/).

One query may serve many workloads: `workloadLabel` names the label whose value is the workload's name. Without
it the query must return one series, so that two series are never silently one load.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import Field

from cme.core.documents import Document
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection
from cme.sources.http import Answer, HttpReader
from cme.sources.protocol import SourceFailed, SourceKind

MAX_BYTES = 32 << 20


class Spec(Document):
    """An instant query of a Prometheus server."""

    connection: str
    """Of the settings, by name."""
    query: str = Field(min_length=1, max_length=16_384)
    """In PromQL; the values of its answer are summed."""
    workload_label: str | None = Field(default=None, min_length=1)
    """The label that names the workload, where one query serves many."""


class _Series(NamedTuple):
    labels: dict[Any, Any]
    pair: Any  # [seconds, "number"] if it is a sample at all


class Prometheus:
    def __init__(self, spec: Spec, connection: Connection) -> None:
        self._spec, self._http = spec, HttpReader(connection)
        self._url = f"{connection.address.rstrip('/')}/api/v1/query"

    async def read(self, now_ms: int, timeout_s: float) -> Harvest:
        form = {"query": self._spec.query}
        answer = await self._http.read("POST", self._url, MAX_BYTES, timeout_s, form)
        series = _vector(answer, self._url)
        if not series:
            raise SourceFailed(f"{self._url}: the query returned no series: {self._spec.query}")
        if self._spec.workload_label is not None:
            return _by_workload(series, self._spec.workload_label)
        if len(series) > 1:
            raise SourceFailed(
                f"{self._url}: the query returned several series; wrap it in sum() or name its workloadLabel"
            )
        value, time_ms = _value(series[0].pair, self._url)
        return Harvest([Reading("query", value, time_ms)], {"": 1})

    async def close(self) -> None:
        await self._http.close()


def _vector(answer: Answer, url: str) -> list[_Series]:
    """The series of the answer; a scalar counts as one."""
    try:
        document = json.loads(answer.body)
        if document["status"] != "success":
            raise SourceFailed(f"{url}: {document.get('errorType')}: {document.get('error')}")
        kind, result = document["data"]["resultType"], document["data"]["result"]
        if kind == "scalar":
            return [_Series({}, result)]
        if kind != "vector":
            raise SourceFailed(f"{url}: the query returned a {kind}; it must return an instant vector")
        return [_Series(dict(one["metric"]), one.get("value")) for one in result]
    # RecursionError: the answer of a hostile server may be nested a million deep.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SourceFailed(f"{url}: status {answer.status} and no answer of a Prometheus API") from None


def _by_workload(series: Sequence[_Series], label: str) -> Harvest:
    """A part per workload; one that is told twice or has no number fails alone."""
    named = [(one.labels.get(label), one.pair) for one in series]
    known = [(name, pair) for name, pair in named if isinstance(name, str) and name]
    count = Counter(name for name, _ in known)
    failures = [
        f"two series have {label}={name!r}; aggregate them by ({label})" for name in count if count[name] > 1
    ]
    if len(known) < len(named):
        failures.append(f"a series has no label {label}")
    readings = []
    for name, pair in known:
        if count[name] == 1:
            try:
                value, time_ms = _value(pair, f"{label}={name!r}")
                readings.append(Reading(name, value, time_ms, name))
            except SourceFailed as error:
                failures.append(str(error))
    return Harvest(readings, dict.fromkeys(count, 1), failures)


def _value(pair: Any, where: str) -> tuple[float, int]:
    """Value and milliseconds of a sample; NaN and infinities are the collector's to refuse."""
    try:
        seconds, text = pair if isinstance(pair, list) else []
        value, time_ms = float(str(text)), round(float(seconds) * 1000)
    except (ValueError, TypeError, OverflowError):
        # The pair itself stays out of the text: its time differs in every answer.
        raise SourceFailed(f"{where}: the answer is no number; is it a native histogram?") from None
    return value, max(0, time_ms)


KIND = SourceKind("prometheus", Spec, Prometheus)
