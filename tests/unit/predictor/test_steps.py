"""The step of a series, as its minutes tell it."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.durations import DAY_MS, MINUTE_MS
from predictor.grid import BEAT_MS, BEATS_MS
from predictor.steps import COUNTED, Moved, Steps
from tests.unit.predictor.stage import minute

STEP = st.integers(1, 60)
ROW = np.array([0], dtype=np.intp)


def taken(steps: Steps, ends: Iterable[int]) -> list[Moved]:
    """Minutes of series 1 that end at minute numbers; the value is the number."""
    return [moved for n in ends for moved in steps.take(minute(n * MINUTE_MS, s1=float(n)))]


def every(step: int, count: int = COUNTED + 1, since: int = 1_000) -> list[int]:
    return [since + step * n for n in range(count)]


def fitting(step: int) -> int:
    return next(beat for beat in BEATS_MS if beat >= step * MINUTE_MS)


@given(step=STEP)
def test_a_series_gets_the_shortest_beat_that_its_values_come_as_often_as(step: int) -> None:
    steps = Steps()
    moved = taken(steps, every(step))
    assert steps.beats_ms.tolist() == [fitting(step)]
    assert moved == [Moved(1, 0, fitting(step))]


@given(step=STEP)
def test_its_first_interval_tells_the_step_of_a_new_series(step: int) -> None:
    steps = Steps()
    taken(steps, [1_000])
    assert steps.beats_ms.tolist() == [0]
    taken(steps, [1_000 + step])
    assert steps.beats_ms.tolist() == [fitting(step)]


@pytest.mark.parametrize("step", [90, 24 * 60])
def test_values_that_come_less_often_than_hourly_leave_gaps_in_hours(step: int) -> None:
    steps = Steps()
    taken(steps, every(step))
    assert steps.beats_ms.tolist() == [BEATS_MS[-1]]


@given(step=st.sampled_from([10, 15, 20, 30, 60]), late=st.lists(st.booleans(), min_size=60, max_size=60))
def test_a_step_that_is_told_a_minute_late_now_and_then_stays(step: int, late: Sequence[bool]) -> None:
    steps = Steps()
    taken(steps, every(step))
    since = 1_000 + step * (COUNTED + 1)
    assert taken(steps, [since + step * n + one for n, one in enumerate(late)]) == []


@given(step=STEP, gap=st.integers(1, 10_000), again=st.integers(1, 8))
def test_an_outage_moves_nothing(step: int, gap: int, again: int) -> None:
    steps = Steps()
    taken(steps, every(step))
    assert taken(steps, every(step, since=1_000 + step * COUNTED + gap)) == []


@given(before=STEP, after=STEP)
def test_a_changed_step_is_found_within_a_day(before: int, after: int) -> None:
    steps, whole_day = Steps(), DAY_MS // MINUTE_MS
    taken(steps, every(before))
    taken(steps, every(after, whole_day // after, since=1_000 + before * COUNTED + after))
    assert steps.beats_ms.tolist() == [fitting(after)]


@given(step=STEP, again=st.lists(st.integers(0, COUNTED), max_size=20))
def test_minutes_that_come_again_or_late_count_once(step: int, again: Sequence[int]) -> None:
    once, repeated, ends = Steps(), Steps(), every(step)
    taken(once, ends)
    taken(repeated, ends)
    taken(repeated, [ends[n] for n in again])
    for name, array in once.save().items():
        np.testing.assert_array_equal(repeated.save()[name], array)


@given(step=STEP, age=st.integers(0, 200))
def test_a_value_is_the_newest_until_the_next_is_overdue(step: int, age: int) -> None:
    steps = Steps()
    ends = every(step)
    taken(steps, ends)
    (newest,) = steps.newest(ROW, (ends[-1] + age) * MINUTE_MS)
    if age < step:
        assert newest == ends[-1]
    if age >= 2 * step:
        assert np.isnan(newest)


def test_each_series_is_judged_by_itself_and_kept() -> None:
    steps = Steps()
    for n in range(1, 600):
        means = {"s1": 1.0} | ({"s2": 2.0} if n % 30 == 0 else {}) | ({"s3": 3.0} if n % 7 == 0 else {})
        steps.take(minute(n * MINUTE_MS, **means))
    kept = Steps()
    kept.load(steps.save())
    for one in (steps, kept):
        found = one.beats_of(np.array([3, 1, 2], dtype=np.uint64))
        assert found.tolist() == [10 * MINUTE_MS, BEAT_MS, 30 * MINUTE_MS]
