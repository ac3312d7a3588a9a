"""The history of a Prometheus server as a folder of traces (POST /api/v1/query_range,
https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries)."""

import csv
import gzip
import itertools
import json
import re
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cme.core.durations import DAY_MS
from cme.core.errors import InvalidInput
from cme.core.identity import stable_id
from cme.core.progress import Progress
from cme.core.settings import Connection
from cme.sources.http import HttpReader

STEP_S = 60
STEPS_S = (300, 600, 900, 1200, 1800, 3600)
"""Of series that are measured less often than every minute; Prometheus repeats a value for five minutes only."""
SHORTEST_S = 86_400
"""A series that lived less says nothing of how good forecasts are."""
WINDOW_S = 7 * 86_400
"""Asked at once: 10 080 points a series; Prometheus refuses more than 11 000."""
MAX_BYTES = 256 << 20
MAX_SERIES = 1_000
TIMEOUT_S = 120.0
LONGEST_NAME = 150

Values = dict[int, str]
"""By seconds since the epoch, the number as Prometheus writes it."""


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


def refuse_used(folder: Path) -> None:
    """Traces of an earlier time must not be replayed among the new ones. Raises InvalidInput."""
    if list(folder.glob("*.csv.gz")):
        raise InvalidInput("it holds traces already", str(folder), "remove them or name another --out")


def write_traces(folder: Path, found: Mapping[str, Values]) -> list[str]:
    """A file per series, and the names of those left out as shorter than a day.

    A time without a value is a gap, an empty value in the file. Raises OSError, InvalidInput.
    """
    folder.mkdir(parents=True, exist_ok=True)
    loads = {
        name: {at: text for at, text in values.items() if text[:1].isdigit()}
        for name, values in found.items()
    }
    long = {name: known for name, known in loads.items() if known and max(known) - min(known) >= SHORTEST_S}
    if not long:
        raise InvalidInput(
            f"all {len(found)} series are shorter than a day", "query", "wait, or ask for older ones"
        )
    for name, known in long.items():
        _write(folder / f"{name}.csv.gz", known)
    return sorted(found.keys() - long.keys())


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


def step_of(known: Mapping[int, str]) -> int:
    """How often the series is measured, from the minutes at which it has a value.

    Whose values come in runs with gaps between them, for most of the time, is measured once a run.
    """
    if len(known) * STEP_S > (max(known) - min(known)) / 2:
        return STEP_S
    starts = sorted(at for at in known if at - STEP_S not in known)
    typical = statistics.median([later - sooner for sooner, later in itertools.pairwise(starts)])
    return next((step for step in STEPS_S if step >= typical), STEP_S)


def _write(path: Path, known: Mapping[int, str]) -> None:
    """CSV with the columns timestamp (seconds) and value, a row per step with the newest value of the step."""
    step = step_of(known)
    first = next(at for at in sorted(known) if at + STEP_S not in known or step == STEP_S)
    with gzip.open(path, "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "value"))
        for at in range(first, max(known) + 1, step):
            newest = (known[then] for then in range(at, at - step, -STEP_S) if then in known)
            rows.writerow((at, next(newest, "")))
