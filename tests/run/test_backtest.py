"""`tidecast backtest` on a folder of small traces."""

import csv
import gzip
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest

from predictor.grid import QUANTILES
from tests.run.program import command

DAYS = 4


def write(path: Path, step_s: int, gap: bool = False, level: float = 100.0) -> None:
    with gzip.open(path, "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "value"))
        for at in range(0, DAYS * 86_400, step_s):
            value = level * (1 + 0.5 * math.sin(2 * math.pi * at / 86_400))
            rows.writerow((at, "" if gap and at // 3600 % 2 else f"{value:.3f}"))


def backtest(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return command("backtest", *arguments, seconds=300)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all that a user may have: short, hourly, with gaps, flat."""
    folder = tmp_path_factory.mktemp("traces")
    write(folder / "tide_hourly.csv.gz", 3600)
    write(folder / "tide_halfhourly.csv.gz", 1800)
    write(folder / "tide_gaps.csv.gz", 1800, gap=True)
    write(folder / "flat_zero.csv.gz", 1800, level=0.0)
    return folder


@pytest.fixture(scope="module")
def out(traces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    done = backtest(str(traces), "--out", str(folder), "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "pinball(.95)" in done.stdout
    return folder


def test_every_trace_has_a_forecast_for_every_origin(traces: Path, out: Path) -> None:
    for path in traces.glob("*.csv.gz"):
        with np.load(out / f"{path.name.removesuffix('.csv.gz')}.npz") as saved:
            assert saved["quantiles"].tolist() == list(QUANTILES)
            shape = (len(saved["origins"]), len(saved["leads_s"]), len(QUANTILES))
            for target in ("at", "max"):
                assert saved[target].shape == shape
                assert np.isfinite(saved[target]).all()
                assert (saved[target] >= 0).all()
                assert (np.diff(saved[target], axis=2) >= 0).all()


def test_the_number_of_jobs_changes_no_byte(traces: Path, out: Path, tmp_path: Path) -> None:
    assert backtest(str(traces), "--out", str(tmp_path), "--jobs", "1").returncode == 0
    for path in out.glob("*.npz"):
        with np.load(path) as one, np.load(tmp_path / path.name) as other:
            for name in one.files:
                np.testing.assert_array_equal(one[name], other[name])


def test_the_report_stands_beside_the_forecasts(out: Path) -> None:
    assert "tidecast backtest of 4 series" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name a folder of traces, or --prometheus"),
        (("--prometheus", "http://127.0.0.1:1"), "--prometheus needs a --query"),
        (("--prometheus", "http://127.0.0.1:1", "--query", "up"), "can't connect"),
        (("nowhere",), "holds no <series>.csv.gz"),
    ],
)
def test_what_can_not_be_replayed_is_refused(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = backtest(*arguments, "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
