"""Prometheus: the value of an instant query (https://prometheus.io/docs/prometheus/latest/querying/api/).

One query may serve many workloads: `workloadLabel` names the label whose value is the workload's name. Without
it the query must return one series, so that two series are never silently one load.
"""

import json
from collections import Counter
from typing import Any

from pydantic import Field

from cme.core.documents import Document
from cme.core.readings import Harvest, Reading
from cme.core.settings import Connection
from cme.sources.http import HttpReader
from cme.sources.protocol import SourceFailed, SourceKind

MAX_BYTES = 32 << 20


class Spec(Document):
    connection: str
    query: str = Field(min_length=1, max_length=16_384)
    workload_label: str | None = None


class Prometheus:
    def __init__(self, spec: Spec, connection: Connection) -> None:
        self._spec, self._http = spec, HttpReader(connection)
        self._url = f"{connection.address.rstrip('/')}/api/v1/query"

    async def read(self, now_ms: int) -> Harvest:
        form = {"query": self._spec.query}
        status, _, body = await self._http.read("POST", self._url, MAX_BYTES, form)
        series = _vector(status, body, self._url)
        if not series:
            raise SourceFailed(f"{self._url}: the query returned no series: {self._spec.query}")
        if self._spec.workload_label is not None:
            return _by_workload(series, self._spec.workload_label)
        if len(series) > 1:
            raise SourceFailed(
                f"{self._url}: the query returned {len(series)} series; wrap it in sum() or name its workloadLabel"
            )
        value, time_ms = _value(series[0]["value"], self._url)
        return Harvest([Reading("query", value, time_ms)], {"": 1})

    async def close(self) -> None:
        await self._http.close()


def _vector(status: int, body: bytes, url: str) -> list[Any]:
    """The series of the answer; a scalar counts as one."""
    try:
        answer = json.loads(body)
        if answer["status"] != "success":
            raise SourceFailed(f"{url}: {answer.get('errorType')}: {answer.get('error')}")
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
    except (ValueError, KeyError, TypeError):
        raise SourceFailed(f"{url}: status {status} and no answer of a Prometheus API") from None
    if kind == "scalar":
        return [{"metric": {}, "value": result}]
    if kind != "vector":
        raise SourceFailed(f"{url}: the query returned a {kind}; it must return an instant vector")
    return list(result)


def _by_workload(series: list[Any], label: str) -> Harvest:
    names = [one["metric"].get(label, "") for one in series]
    count = Counter(names)
    failures = [
        f"two series have {label}={name!r}; aggregate them by ({label})"
        for name in count
        if count[name] > 1 and name
    ]
    if count[""]:
        failures.append(f"{count['']} series have no label {label}")
    readings = []
    for name, one in zip(names, series, strict=True):
        if name and count[name] == 1:
            value, time_ms = _value(one["value"], name)
            readings.append(Reading(name, value, time_ms, name))
    return Harvest(readings, {name: 1 for name in count if name}, failures)


def _value(pair: Any, where: str) -> tuple[float, int]:
    """[seconds, "text"] as value and milliseconds; NaN and infinities are the collector's to refuse."""
    try:
        return float(pair[1]), round(float(pair[0]) * 1000)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise SourceFailed(f"{where}: {pair!r} is not a sample") from None


KIND = SourceKind("prometheus", Spec, Prometheus)
