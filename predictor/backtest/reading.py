"""Reading a trace from its file, and saying where it can't be one."""

import csv
import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cme.core.errors import InvalidInput
from predictor.backtest.traces import Trace
from predictor.grid import BEATS_MS, LEADS_MS

_LEADS_S = tuple(ms // 1000 for ms in LEADS_MS)
_LONGEST_STEP_S = BEATS_MS[-1] // 1000
_LATEST_S = 1e11  # the year 5138; more are milliseconds

_LARGEST = 1e30  # the engine's float32 holds little more, and no machine carries that


def read(path: Path) -> Trace:
    """The trace of a CSV with the columns timestamp and value, behind a header.

    A value that is no number, or too large to be a load, is a gap; a negative one counts as 0. Raises InvalidInput for a
    file that is no trace.
    """
    rows = list(_rows(path))
    if len(rows) < 2:
        raise InvalidInput(
            f"it has {len(rows)} rows of timestamp and value", str(path), "write CSV with these two columns"
        )
    lines, times, values = (np.array(column) for column in zip(*rows, strict=True))
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        where = f"{path}, line {lines[back[0] + 1]}"
        raise InvalidInput("its timestamp is before that of the row above", where, "sort the rows by time")
    trace = Trace(path.name.removesuffix(".csv.gz"), times, np.maximum(values, 0))
    _check_steps(trace, str(path))
    return trace


def _check_steps(trace: Trace, where: str) -> None:
    """Raises InvalidInput where no forecast could be scored."""
    if not 0 < trace.step_s <= _LONGEST_STEP_S:
        raise InvalidInput(
            f"its step is {trace.step_s} s", where, f"resample it to steps of 1 to {_LONGEST_STEP_S} seconds"
        )
    if not trace.leads_s:
        raise InvalidInput(
            f"its step of {trace.step_s} s divides none of the leads {', '.join(map(str, _LEADS_S))} s",
            where,
            "resample it, e.g. to 60 s",
        )
    if not len(trace.origins):
        raise InvalidInput(
            f"{len(trace.values)} rows of {trace.step_s} s are too short for a forecast {max(trace.leads_s)} s ahead",
            where,
            "give it at least a day, better four weeks",
        )


def _rows(path: Path) -> Iterator[tuple[int, int, float]]:
    """Line, timestamp and value of each row behind the header; NaN for a gap."""
    try:
        with gzip.open(path, "rt", newline="", errors="replace") as file:
            rows = csv.reader(file)
            next(rows, None)
            for row in rows:
                if row:
                    yield rows.line_num, *_row(row, f"{path}, line {rows.line_num}")
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise InvalidInput(f"it can't be read: {error}", str(path), "write it with gzip again") from None


def _row(row: list[str], where: str) -> tuple[int, float]:
    try:
        time, value = float(row[0]), row[1]
    except (ValueError, IndexError):
        time, value = math.nan, ""
    if not abs(time) < _LATEST_S:
        text = ",".join(row)[:60]
        raise InvalidInput(
            f"{text!r} is no row of timestamp and value", where, "write epoch seconds and a number"
        )
    return int(time), _load(value)


def _load(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if abs(value) <= _LARGEST else math.nan
