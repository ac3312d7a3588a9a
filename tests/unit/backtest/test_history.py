import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from adapter.backtest.history import fetch, trace_name, write_traces
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


async def fetched(web: Web, folder: Path, days: int = 1) -> dict[str, list[str]]:
    """Lines of each trace behind its header."""
    connection = Connection(address=web.url)
    names = await fetch(connection, "sum(up)", days, NOW_MS, lambda done, total: None)
    write_traces(folder, names)
    return {name: lines(folder / f"{name}.csv.gz") for name in names}


async def test_a_minute_without_a_number_is_a_gap(tmp_path: Path) -> None:
    values = [(END - 240, "1.5"), (END - 180, "NaN"), (END - 60, "-3"), (END, "+Inf"), (END + 60, "1e+06")]
    async with web_server() as web:
        web.answers(matrix(({"app": "web"}, values)))
        traces = await fetched(web, tmp_path)
    assert traces == {
        "app-web": [
            f"{END - 240},1.5",
            f"{END - 180},",
            f"{END - 120},",
            f"{END - 60},",
            f"{END},",
            f"{END + 60},1e+06",
        ]
    }


async def test_long_histories_are_asked_for_week_by_week(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(matrix(({}, [(END - 60, "1")])))
        await fetched(web, tmp_path, days=28)
        assert len(web.asked) == 4


async def test_an_error_of_prometheus_is_handed_on(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(b'{"status": "error", "error": "parse error at char 3"}', status=400)
        with pytest.raises(InvalidInput, match="parse error at char 3"):
            await fetched(web, tmp_path)


async def test_an_empty_answer_is_refused(tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(matrix())
        with pytest.raises(InvalidInput, match="it returned no series"):
            await fetched(web, tmp_path)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"status": "success", "data": {"result": [1]}}'])
async def test_what_is_no_prometheus_is_refused(body: bytes, tmp_path: Path) -> None:
    async with web_server() as web:
        web.answers(body)
        with pytest.raises(InvalidInput, match="no answer of a Prometheus API"):
            await fetched(web, tmp_path)


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
