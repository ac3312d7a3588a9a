"""The history of a Prometheus server as a folder of traces (POST /api/v1/query_range,
https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries)."""

import csv
import gzip
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cme.core.durations import DAY_MS
from cme.core.errors import InvalidInput
from cme.core.identity import stable_id
from cme.core.settings import Connection
from cme.sources.http import HttpReader

STEP_S = 60
WINDOW_S = 7 * 86_400
"""Asked at once: 10 080 points a series; Prometheus refuses more than 11 000."""
MAX_BYTES = 256 << 20
MAX_SERIES = 1_000
TIMEOUT_S = 120.0
LONGEST_NAME = 150

Values = dict[int, str]
"""By seconds since the epoch, the number as Prometheus writes it."""
Progress = Callable[[int, int], None]


async def fetch(
    connection: Connection, query: str, days: int, now_ms: int, progress: Progress
) -> dict[str, Values]:
    """By trace name the values of each series of `query` over the last `days` days. Raises InvalidInput, SourceFailed."""
    end = now_ms // 1000 // STEP_S * STEP_S
    start = end - days * DAY_MS // 1000
    found: dict[str, Values] = {}
    http = HttpReader(connection)
    try:
        for first in range(start, end, WINDOW_S):
            last = min(end, first + WINDOW_S) - STEP_S
            await _window(http, connection.address, query, first, last, found)
            progress(last + STEP_S - start, end - start)
    finally:
        await http.close()
    if not found:
        raise InvalidInput("it returned no series", f"query {query}", "try it in Prometheus' own page first")
    return found


def write_traces(folder: Path, found: Mapping[str, Values]) -> None:
    """A file per series; a minute without a value is a gap, an empty value in the file. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in found.items():
        _write(folder / f"{name}.csv.gz", min(values), max(values), values)


async def _window(
    http: HttpReader, address: str, query: str, first: int, last: int, found: dict[str, Values]
) -> None:
    url = f"{address.rstrip('/')}/api/v1/query_range"
    form = {"query": query, "start": str(first), "end": str(last), "step": str(STEP_S)}
    answer = await http.read("POST", url, MAX_BYTES, TIMEOUT_S, form)
    for labels, values in _matrix(answer.body, url):
        found.setdefault(trace_name(labels), {}).update(values)
    if len(found) > MAX_SERIES:
        raise InvalidInput(
            f"it returns more than {MAX_SERIES} series",
            f"query {query}",
            "aggregate it, e.g. with sum by (workload)",
        )


def _matrix(body: bytes, url: str) -> list[tuple[Mapping[str, str], Values]]:
    try:
        document: Any = json.loads(body)
        if document["status"] != "success":
            raise InvalidInput(str(document.get("error")), url, "correct the query")
        return [
            (dict(one["metric"]), {round(float(at)): str(value) for at, value in one["values"]})
            for one in document["data"]["result"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("that is no answer of a Prometheus API", url, "check the address") from None


def trace_name(labels: Mapping[str, str]) -> str:
    """A file name that tells the series: its label values. Different labels make different names."""
    text = "_".join(f"{key}-{value}" for key, value in sorted(labels.items())) or "query"
    # What a file name does not take is written as its number, so that no two names fall together.
    name = re.sub(r"[^A-Za-z0-9_-]", lambda match: f".{ord(match[0]):x}.", text)
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}.{stable_id(text):016x}"


def _write(path: Path, start: int, end: int, values: Mapping[int, str]) -> None:
    """CSV with the columns timestamp (seconds) and value, a row per step."""
    with gzip.open(path, "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "value"))
        rows.writerows((at, _number(values.get(at, ""))) for at in range(start, end + 1, STEP_S))


def _number(text: str) -> str:
    """Empty for what is no load: Prometheus writes NaN and infinities as words."""
    return text if text and text[0].isdigit() else ""
