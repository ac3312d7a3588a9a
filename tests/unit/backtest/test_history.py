import gzip
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapter.backtest.history import Values, fetch, step_of, trace_name, write_traces
from cme.core.errors import InvalidInput
from cme.core.settings import Connection
from tests.contract.source_web import Web, web_server

NOW_MS = 1_795_574_000_000
END = NOW_MS // 60_000 * 60


def matrix(*series: tuple[dict[str, str], list[tuple[int, str]]]) -> bytes:
    result: list[Any] = [{"metric": labels, "values": values} for labels, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


def lines(path: Path) -> list[str]:
    with gzip.open(path, "rt") as file:
        return file.read().splitlines()[1:]


async def fetched(web: Web, days: int = 1) -> Mapping[str, Values]:
    return await fetch(Connection(address=web.url), "sum(up)", days, NOW_MS, lambda done, total: None)


DAY = 1440
"""In minutes."""


def minutely(minutes: int = DAY + 1) -> Values:
    return {END + 60 * n: f"{n}.5" for n in range(minutes)}


def written(folder: Path, values: Values) -> list[str]:
    write_traces(folder, {"web": values})
    return lines(folder / "web.csv.gz")


def test_a_minute_without_a_number_is_a_gap(tmp_path: Path) -> None:
    odd = {END + 60 * n: text for n, text in ((3, "NaN"), (4, "-3"), (5, "+Inf"), (7, "1e+06"))}
    values = minutely() | odd
    del values[END + 60 * 8]
    assert written(tmp_path, values)[2:10] == [
        f"{END + 120},2.5",
        *(f"{END + 60 * n}," for n in (3, 4, 5)),
        f"{END + 360},6.5",
        f"{END + 420},1e+06",
        f"{END + 480},",
        f"{END + 540},9.5",
    ]


@pytest.mark.parametrize(("every", "step"), [(60, 3600), (30, 1800), (15, 900), (12, 900), (7, 600)])
def test_a_series_that_is_measured_less_often_has_rows_as_often(
    every: int, step: int, tmp_path: Path
) -> None:
    """Prometheus repeats a value for five minutes."""
    hole = range(3 * every, 5 * every)
    runs = {
        END + 60 * (scrape * every + n): str(scrape)
        for scrape in range(3 * DAY // every)
        for n in range(min(5, every - 1))
        if scrape * every not in hole
    }
    rows = [line.split(",") for line in written(tmp_path, runs)] if every > 10 else []
    assert step_of(runs) == (step if every > 10 else 60)
    assert {int(later[0]) - int(sooner[0]) for sooner, later in itertools.pairwise(rows)} <= {step}
    if step == every * 60:
        assert [row[1] for row in rows[:6]] == ["0", "1", "2", "", "", "5"]


def test_a_long_hole_does_not_make_a_series_rare(tmp_path: Path) -> None:
    values = {at: text for at, text in minutely(4 * DAY).items() if not END + 60_000 < at < END + 220_000}
    assert step_of(values) == 60
    assert len(written(tmp_path, values)) == 4 * DAY


def test_what_lived_less_than_a_day_is_left_out_by_name(tmp_path: Path) -> None:
    assert write_traces(tmp_path, {"web": minutely(), "pod": minutely(60), "nan": {END: "NaN"}}) == [
        "nan",
        "pod",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["web.csv.gz"]


def test_only_short_series_are_refused_and_so_is_a_folder_with_other_traces(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="all 1 series are shorter than a day"):
        write_traces(tmp_path, {"pod": minutely(60)})
    write_traces(tmp_path, {"web": minutely()})
    with pytest.raises(InvalidInput, match="it holds traces already; remove them or name another --out"):
        write_traces(tmp_path, {"other": minutely()})


async def test_each_series_is_a_trace_of_its_own(tmp_path: Path) -> None:
    values = [(at, text) for at, text in minutely().items()]
    async with web_server() as web:
        web.answers(matrix(({"app": "web"}, values), ({"app": "queue"}, values)))
        found = await fetched(web)
    assert found == {"app-web": minutely(), "app-queue": minutely()}


async def test_long_histories_are_asked_for_week_by_week() -> None:
    async with web_server() as web:
        web.answers(matrix(({}, [(END - 60, "1")])))
        await fetched(web, days=28)
        assert len(web.asked) == 4


async def test_an_error_of_prometheus_is_handed_on() -> None:
    async with web_server() as web:
        web.answers(b'{"status": "error", "error": "parse error at char 3"}', status=400)
        with pytest.raises(InvalidInput, match="parse error at char 3"):
            await fetched(web)


async def test_an_empty_answer_is_refused() -> None:
    async with web_server() as web:
        web.answers(matrix())
        with pytest.raises(InvalidInput, match="it returned no series"):
            await fetched(web)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"status": "success", "data": {"result": [1]}}'])
async def test_what_is_no_prometheus_is_refused(body: bytes) -> None:
    async with web_server() as web:
        web.answers(body)
        with pytest.raises(InvalidInput, match="no answer of a Prometheus API"):
            await fetched(web)


def test_names_of_traces_are_safe_and_distinct() -> None:
    labels: list[dict[str, str]] = [
        {},
        {"a": "b/c"},
        {"a": "b_c"},
        {"a": "../x"},
        {"a": "x" * 300},
        {"a": "x" * 301},
    ]
    names = [trace_name(one) for one in labels]
    assert len(set(names)) == len(labels)
    assert not any("/" in name or len(name) > 200 for name in names)
