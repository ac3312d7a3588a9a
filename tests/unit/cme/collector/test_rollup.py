from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.collector.rollup import Bucket, Rollup, Rollups, end_of, rollup_batch
from cme.core.batch import Batch, series_ids
from cme.core.durations import HOUR_MS, MINUTE_MS

START = 500_000 * HOUR_MS
CLOSE = 10_000
FINAL = CLOSE + MINUTE_MS


class Row(NamedTuple):
    """One row of a `minutes` or `hours` batch."""

    topic: str
    end: int
    series: int
    mean: float
    max: float
    last: float
    samples: int
    flags: int = 0


def rows(batches: Iterable[Batch]) -> list[Row]:
    found = []
    for batch in batches:
        columns = [batch.numbers(name).tolist() for name in ("mean", "max", "last", "count", "flags")]
        for series, *values in zip(batch.series.tolist(), *columns, strict=True):
            found.append(Row(batch.topic, batch.time_ms - START, series, *values))
    return found


def minutes() -> Rollup:
    return Rollup("minutes", MINUTE_MS)


@pytest.mark.parametrize(("offset", "end"), [(0, 0), (1, 60_000), (59_999, 60_000), (60_000, 60_000)])
def test_a_period_ends_with_its_last_moment(offset: int, end: int) -> None:
    assert end_of(START + offset, MINUTE_MS) == START + end


def test_a_minute_closes_ten_seconds_after_its_end() -> None:
    rollup = minutes()
    for second, value in ((1, 4.0), (30, 8.0), (60, 6.0)):
        rollup.add(7, START + second * 1000, value)
    assert rollup.close(START + MINUTE_MS + CLOSE - 1) == []
    closed = rows(rollup.close(START + MINUTE_MS + CLOSE))
    assert closed == [Row("minutes", 60_000, 7, 6.0, 8.0, 6.0, 3)]
    assert rollup.close(START + MINUTE_MS + CLOSE + 1) == []


def test_a_late_sample_corrects_its_minute_once() -> None:
    rollup = minutes()
    rollup.add(7, START + 1, 4.0)
    rollup.add(8, START + 1, 1.0)
    rollup.close(START + MINUTE_MS + CLOSE)
    rollup.add(7, START + 2, 8.0)
    assert rollup.close(START + MINUTE_MS + FINAL - 1) == []
    assert rows(rollup.close(START + MINUTE_MS + FINAL)) == [Row("minutes", 60_000, 7, 6.0, 8.0, 8.0, 2)]
    assert rollup.late == 0


def test_what_comes_after_the_correction_is_counted_and_left_out() -> None:
    rollup = minutes()
    rollup.add(7, START + 1, 4.0)
    rollup.close(START + MINUTE_MS + FINAL)
    rollup.add(7, START + 2, 8.0)
    assert rollup.close(START + 10 * MINUTE_MS) == []
    assert rollup.late == 1


def test_a_minute_without_a_late_sample_is_written_once() -> None:
    rollup = minutes()
    rollup.add(7, START + 1, 4.0)
    assert len(rollup.close(START + MINUTE_MS + CLOSE)) == 1
    assert rollup.close(START + MINUTE_MS + FINAL) == []


def test_a_pause_of_the_collector_closes_all_minutes_at_once_oldest_first() -> None:
    rollup = minutes()
    for minute in (2, 0, 1):
        rollup.add(7, START + minute * MINUTE_MS + 1, float(minute))
    closed = rows(rollup.close(START + HOUR_MS))
    assert [(row.end, row.last) for row in closed] == [(60_000, 0.0), (120_000, 1.0), (180_000, 2.0)]


def test_last_is_the_newest_by_its_time_not_by_its_coming() -> None:
    rollup = minutes()
    for second, value in ((30, 8.0), (10, 4.0)):
        rollup.add(7, START + second * 1000, value)
    (row,) = rows(rollup.close(START + HOUR_MS))
    assert row.last == 8.0


def test_no_period_stays_in_memory() -> None:
    rollup = minutes()
    for minute in range(100):
        rollup.add(7, START + minute * MINUTE_MS + 1, 1.0)
        rollup.close(START + minute * MINUTE_MS + CLOSE)
        assert len(rollup._periods) <= 3


def test_the_largest_load_is_a_finite_minute() -> None:
    bucket = Bucket()
    for time_ms in range(12):
        bucket.add(time_ms, 1e36)
    (row,) = rows([rollup_batch("minutes", START, [7], [bucket])])
    assert np.isfinite([row.mean, row.max, row.last]).all()


def test_hours_come_of_the_same_samples() -> None:
    rollups = Rollups()
    for minute in range(60):
        rollups.add(7, START + minute * MINUTE_MS + 1, float(minute))
    closed = rows(rollups.close(START + HOUR_MS + CLOSE))
    assert [row.topic for row in closed] == ["minutes"] * 60 + ["hours"]
    assert closed[-1] == Row("hours", HOUR_MS, 7, 29.5, 59.0, 59.0, 60)


def test_a_sample_that_is_told_again_counts_once_and_with_its_newest_value() -> None:
    rollups = Rollups()
    for second, value in ((1, 4.0), (1, 4.0), (30, 8.0), (30, 6.0), (30, 6.0)):
        rollups.add(7, START + second * 1000, value)
    assert rows(rollups.close(START + MINUTE_MS + CLOSE)) == [Row("minutes", 60_000, 7, 5.0, 8.0, 6.0, 2)]


@pytest.mark.parametrize("others", [False, True])
def test_what_is_late_is_late_whatever_other_series_there_are(others: bool) -> None:
    rollup = minutes()
    if others:
        rollup.add(8, START + 1, 4.0)
    rollup.close(START + MINUTE_MS + FINAL)
    rollup.add(7, START + 2, 8.0)
    assert rollup.late == 1


class Tick(NamedTuple):
    """At `now`, what came of series 7 and 8: (time, value, flags) or None."""

    now: int
    samples: Sequence[tuple[int, float, int] | None]


def samples_batch(tick: Tick) -> Batch:
    times = [sample[0] if sample else tick.now for sample in tick.samples]
    values = [sample[1] if sample else np.nan for sample in tick.samples]
    flags = np.array([sample[2] if sample else 0 for sample in tick.samples], dtype=np.uint8)
    columns = {"value": np.array(values), "measured_ms": np.array(times, dtype=np.int64), "flags": flags}
    return Batch("samples", tick.now, series_ids([7, 8]), columns)


def run(rollups: Rollups, ticks: Iterable[Tick]) -> list[Row]:
    """What the collector writes besides the samples."""
    written = []
    for tick in ticks:
        for series, sample in zip((7, 8), tick.samples, strict=True):
            if sample:
                rollups.add(series, *sample)
        written += rows(rollups.close(tick.now))
    return written


@st.composite
def ticks_of_a_day(draw: st.DrawFn) -> list[Tick]:
    """Mostly on time, with late samples, pauses and gaps."""
    now, found = START + draw(st.integers(0, HOUR_MS)), []
    sample = st.none() | st.tuples(
        st.sampled_from([0, 0, 1_000, 15_000, 61_000, 90_000, 300_000, 3_700_000]),
        st.floats(0, 1e6, width=32),
        st.integers(0, 3),
    )
    for _ in range(draw(st.integers(5, 60))):
        now += draw(st.sampled_from([5_000, 5_000, 30_000, 60_000, 400_000, 3_000_000]))
        pair = [draw(sample), draw(sample)]
        found.append(Tick(now, [(now - s[0], *s[1:]) if s else None for s in pair]))
    return found


@given(ticks_of_a_day(), st.data())
def test_a_restart_anywhere_writes_what_an_undisturbed_run_writes(
    ticks: list[Tick], data: st.DataObject
) -> None:
    undisturbed = run(Rollups(), ticks)
    cut = data.draw(st.integers(0, len(ticks)))
    since = START - 2 * HOUR_MS
    before, rollups = run(Rollups(), ticks[:cut]), Rollups()
    rollups.restore([samples_batch(tick) for tick in ticks[:cut]], since)
    assert [r.late for r in rollups._all] == [0, 0]
    assert before + run(rollups, ticks[cut:]) == undisturbed


@given(ticks_of_a_day(), st.data())
def test_a_period_that_is_known_in_part_only_stays_as_it_was_written(
    ticks: list[Tick], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(ticks)))
    since = data.draw(st.integers(START, max(START, ticks[cut - 1].now if cut else 0)))
    rollups = Rollups()
    rollups.restore([samples_batch(tick) for tick in ticks[:cut] if tick.now >= since], since)
    whole = set(run(Rollups(), ticks))
    for row in run(rollups, ticks[cut:]):
        start = START + row.end - (HOUR_MS if row.topic == "hours" else MINUTE_MS)
        assert start >= since
        # A sample that came before `since` can't belong to a period after it, so all are known.
        assert row in whole


def test_a_batch_that_the_log_split_is_one_tick() -> None:
    tick = Tick(START + 2 * MINUTE_MS, [(START + 1, 4.0, 0), (START + 2, 8.0, 0)])
    batch, rollups = samples_batch(tick), Rollups()
    rollups.restore([batch.rows(0, 1), batch.rows(1, 2)], START)
    rollups.add(7, START + 3, 5.0)
    (row,) = [r for r in rows(rollups.close(START + HOUR_MS)) if r.topic == "minutes"]
    assert (row.series, row.samples) == (7, 2)
