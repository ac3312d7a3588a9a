"""`tidecast backtest --prometheus` on a real Prometheus, whose past promtool writes."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.components.prometheus import Prometheus

pytestmark = pytest.mark.e2e

DAYS = 4
DAY_S = 86_400


def past(begin: int, end: int) -> str:
    """OpenMetrics: measured every minute, with a hole of half a day, every hour, and for three hours only."""
    holes = {"minutely": (0, 0), "hole": (begin + DAY_S, begin + 3 * DAY_S // 2)}
    rows = ["# TYPE load gauge"]
    for name, (since, until) in holes.items():
        rows += [_row(name, at) for at in range(begin, end, 60) if not since <= at < until]
    rows += [_row("hourly", at) for at in range(begin, end, 3600)]
    rows += [_row("young", at) for at in range(end - 3 * 3600, end, 60)]
    return "\n".join([*rows, "# EOF", ""])


def _row(name: str, at: int) -> str:
    return f'load{{app="{name}"}} {100 + 50 * math.sin(2 * math.pi * at / DAY_S):.3f} {at}'


@pytest.fixture(scope="module")
def address(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("history")
    end = int(time.time()) // 60 * 60
    (folder / "past.txt").write_text(past(end - DAYS * DAY_S, end))
    blocks = [folder / "past.txt", folder / "prometheus"]
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", *blocks], check=True, capture_output=True
    )
    with Prometheus(folder, {}) as prometheus:
        yield prometheus.address


def backtest(address: str, query: str, out: Path) -> "subprocess.CompletedProcess[str]":
    asked = ["--prometheus", address, "--query", query, "--days", "5", "--out", str(out)]
    command = [sys.executable, "-m", "adapter.cli", "backtest", *asked]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def test_every_series_of_the_query_is_forecast_at_its_own_pace(address: str, tmp_path: Path) -> None:
    done = backtest(address, "load", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "app-young: left out, it is shorter than a day" in done.stderr.replace("__name__-load_", "")
    leads = {}
    for path in tmp_path.glob("*.npz"):
        with np.load(path) as saved:
            assert np.isfinite(saved["at"]).all()
            assert len(saved["origins"])
            leads[path.stem.split("app-")[1]] = saved["leads_s"].tolist()
    every = [300, 900, 1800, 3600, 21600]
    assert leads == {"minutely": every, "hole": every, "hourly": [3600, 21600]}


def test_a_query_without_result_is_refused(address: str, tmp_path: Path) -> None:
    done = backtest(address, "nothing_of_that_name", tmp_path)
    assert done.returncode == 2
    assert "it returned no series" in done.stderr
