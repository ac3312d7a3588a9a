"""The replay's promises: every origin has an ordered forecast, made of nothing that came later, in any unit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cme.core.errors import InvalidInput
from predictor.backtest import run
from predictor.backtest.reading import read
from tests.unit.predictor.backtest.tales import tide, write_even, write_odd

DAYS = 4.0
LEADS_S = (300, 900, 1800, 3600, 21600)
SLOW = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Arrays = dict[str, NDArray[Any]]


def replayed(traces: Path, out: Path, jobs: int = 1) -> dict[str, Arrays]:
    """What is written for each trace."""
    run(traces, out, jobs)
    found = {}
    for path in sorted(out.glob("*.npz")):
        with np.load(path) as saved:
            found[path.stem] = dict(saved)
    return found


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Arrays]]:
    traces = tmp_path_factory.mktemp("odd")
    write_odd(traces)
    return traces, replayed(traces, tmp_path_factory.mktemp("out"))


def scored_origins(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which origins count, by the index of their sample, as the score's protocol has it."""
    step = int(np.median(np.diff(times)))
    warm = min(14, int((times[-1] - times[0] + step) / 86_400 / 2)) * 86_400 // step
    last = len(times) - 1 - max(lead for lead in LEADS_S if lead % step == 0) // step
    return times[np.arange(warm, min(last + 1, warm + 28 * 86_400 // step), max(1, 300 // step))]


def test_no_series_fails_however_odd(odd: tuple[Path, dict[str, Arrays]]) -> None:
    traces, found = odd
    assert len(found) == len(list(traces.iterdir()))
    for name, saved in found.items():
        times = read(traces / f"{name}.csv.gz").times
        step = int(np.median(np.diff(times)))
        np.testing.assert_array_equal(saved["origins"], scored_origins(times), err_msg=name)
        assert saved["leads_s"].tolist() == [lead for lead in LEADS_S if lead % step == 0], name
        for target in ("at", "max"):
            values = saved[target]
            assert values.shape == (len(saved["origins"]), len(saved["leads_s"]), 4), name
            assert np.isfinite(values).all(), name
            assert (values >= 0).all(), name
            assert (np.diff(values, axis=2) >= 0).all(), name


def test_of_a_load_that_nobody_has_seen_yet_nothing_is_forecast(odd: tuple[Path, dict[str, Arrays]]) -> None:
    traces, found = odd
    first = int(read(traces / "odd_late.csv.gz").known[0])
    unseen = found["odd_late"]["origins"] < read(traces / "odd_late.csv.gz").times[first]
    assert unseen.any()
    assert (found["odd_late"]["at"][unseen] == 0).all()
    assert (found["odd_late"]["at"][~unseen] > 0).all()


@pytest.mark.parametrize(("name", "least"), [("odd_plain", 0.85), ("step_45s", 0.85), ("step_2min", 0.85)])
def test_a_step_that_does_not_divide_the_beat_is_covered_as_well(
    odd: tuple[Path, dict[str, Arrays]], name: str, least: float
) -> None:
    trace = read(odd[0] / f"{name}.csv.gz")
    lead = trace.leads_s[-2] // trace.step_s
    covered = trace.values[trace.origins + lead] <= odd[1][name]["at"][:, -2, 2]
    assert covered.mean() > least


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    write_plain(folder, DAYS, 1.0)
    return folder


def write_plain(folder: Path, days: float, unit: float) -> None:
    for name, step_s in (("a", 3600), ("b", 3600), ("c", 1800)):
        values = tide(DAYS, step_s, seed=ord(name))[: int(days * 86_400 / step_s)]
        write_even(folder, name, step_s, values * unit)


@pytest.fixture(scope="module")
def whole_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(plain: Path, whole_folder: Path) -> dict[str, Arrays]:
    return replayed(plain, whole_folder)


@SLOW
@given(days=st.floats(2.6, 3.9))
def test_what_comes_later_changes_no_forecast(
    days: float, whole: dict[str, Arrays], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    write_plain(folder, days, 1.0)
    for name, cut in replayed(folder, folder).items():
        _, here, there = np.intersect1d(cut["origins"], whole[name]["origins"], return_indices=True)
        assert len(here)
        for target in ("at", "max"):
            np.testing.assert_array_equal(cut[target][here], whole[name][target][there])


@pytest.mark.parametrize(
    ("unit", "tolerance"), [(2.0**20, 0.0), (2.0**-30, 0.0), (1000.0, 1e-2), (1e-3, 1e-2)]
)
def test_another_unit_is_the_same_load(
    unit: float, tolerance: float, whole: dict[str, Arrays], tmp_path: Path
) -> None:
    write_plain(tmp_path, DAYS, unit)
    for name, scaled in replayed(tmp_path, tmp_path).items():
        for target in ("at", "max"):
            np.testing.assert_allclose(scaled[target], whole[name][target] * unit, rtol=tolerance)


def test_the_number_of_jobs_changes_no_byte(
    plain: Path, whole: dict[str, Arrays], whole_folder: Path, tmp_path: Path
) -> None:
    run(plain, tmp_path, 2)
    for name in whole:
        assert (tmp_path / f"{name}.npz").read_bytes() == (whole_folder / f"{name}.npz").read_bytes()


def test_one_file_that_is_no_trace_is_named_before_anything_is_replayed(plain: Path, tmp_path: Path) -> None:
    write_plain(tmp_path, DAYS, 1.0)
    (tmp_path / "broken.csv.gz").write_bytes(b"timestamp,value\n")
    with pytest.raises(InvalidInput, match=r"broken\.csv\.gz: it can't be read"):
        run(tmp_path, tmp_path / "out", 2)
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_without_traces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no <series>"):
        run(tmp_path, tmp_path / "out")
