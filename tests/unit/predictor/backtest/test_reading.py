import gzip
from pathlib import Path

import numpy as np
import pytest

from cme.core.errors import InvalidInput
from predictor.backtest.reading import read
from tests.unit.predictor.backtest.tales import evenly, texts, tide, write, write_even

DAY = tide(1, 300)


def test_a_trace_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    trace = read(write_even(tmp_path, "web", 300, DAY))
    assert (trace.name, trace.step_s) == ("web", 300)
    np.testing.assert_array_equal(trace.values, DAY)
    np.testing.assert_array_equal(trace.times, evenly(300, len(DAY)))
    assert not len(trace.uneven)


def test_what_is_no_load_is_a_gap_and_what_is_negative_is_none(tmp_path: Path) -> None:
    said = ["", "NaN", "inf", "-inf", "abc", " ", "1e300", "-3", "2.5", *texts(DAY)]
    trace = read(write(tmp_path, "web", evenly(300, len(said)), said))
    assert trace.known[:2].tolist() == [7, 8]
    assert trace.values[7:9].tolist() == [0.0, 2.5]


def test_rows_that_are_missing_or_doubled_are_told(tmp_path: Path) -> None:
    times = np.delete(evenly(300, len(DAY) + 1), 100)
    times[50] = times[49]
    assert read(write(tmp_path, "web", times, texts(DAY))).uneven.tolist() == [50, 51, 100]


def swapped() -> list[object]:
    times: list[object] = evenly(300, len(DAY)).tolist()
    times[7], times[8] = times[8], times[7]
    return times


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (swapped(), "line 10: its timestamp is before that of the row above; sort the rows by time"),
        (
            ["2026-01-01"] * len(DAY),
            "line 2: '2026-01-01,.*' is no row of timestamp and value; write epoch seconds",
        ),
        ((evenly(300, len(DAY)) * 1000).tolist(), "line 2: .* write epoch seconds"),
        (["nan"] * len(DAY), "line 2: .* write epoch seconds"),
        ([1] * len(DAY), "its step is 0 s; resample it"),
        (evenly(7200, len(DAY)).tolist(), "its step is 7200 s; resample it to steps of 1 to 3600 seconds"),
        (evenly(7, len(DAY)).tolist(), "its step of 7 s divides none of the leads"),
        (
            evenly(60, len(DAY)).tolist(),
            "288 rows of 60 s are too short for a forecast 21600 s ahead; give it",
        ),
    ],
)
def test_a_trace_that_nothing_can_be_forecast_of_is_refused_by_line(
    times: list[object], told: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "web", times, texts(DAY))
    with pytest.raises(InvalidInput, match=told) as refused:
        read(path)
    assert str(path) in str(refused.value)


def compressed(content: bytes) -> bytes:
    """The same at any time: it is part of a test's name."""
    return gzip.compress(content, mtime=0)


WHOLE = compressed(b"timestamp,value\n" + b"".join(b"%d,1\n" % at for at in range(0, 90_000, 300)))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it has 0 rows"),
        (compressed(b""), "it has 0 rows"),
        (compressed(b"timestamp,value\n"), "it has 0 rows"),
        (compressed(b"timestamp,value\n5,1\n"), "it has 1 rows"),
        (compressed(b"timestamp,value\n5\n"), "line 2: '5' is no row"),
        (compressed(b'timestamp,value\n"' + b"x" * 200_000), "can't be read: field larger"),
        (compressed(bytes(range(256))), "it has 0 rows|is no row"),
        (b"timestamp,value\n0,1\n", "can't be read: Not a gzipped file"),
        (WHOLE[:-20], "can't be read: Compressed file ended"),
        (WHOLE[:40] + bytes(8) + WHOLE[48:], "can't be read: "),
    ],
)
def test_a_file_that_is_no_trace_is_refused_by_name(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "web.csv.gz"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=told) as refused:
        read(path)
    assert str(path) in str(refused.value)
