"""The newest ticks and minutes."""

import numpy as np

from cme.core.durations import MINUTE_MS, SECOND_MS
from cme.core.policy import SOON_MS
from predictor.nowcast.sight import BACK_MS, WINDOWS
from predictor.nowcast.trail import Minute, Tick, Trail

NAN, START = float("nan"), 500_000 * MINUTE_MS
TICK = 5 * SECOND_MS


def tick(number: int, *loads: float, truths: tuple[float, ...] | None = None) -> Tick:
    known = np.array(loads, dtype=float)
    return Tick(START + number * TICK, known, known if truths is None else np.array(truths, dtype=float))


def minute(number: int, mean: float, largest: float) -> Minute:
    return Minute(START + number * MINUTE_MS, np.array([mean]), np.array([largest]))


def test_loads_of_earlier_ticks_are_found() -> None:
    trail = Trail()
    for number in range(40):
        trail.take_tick(tick(number, number))
    now = START + 39 * TICK
    assert trail.back(now)[:, 0].tolist() == [39 - back // TICK for back in BACK_MS]
    assert trail.back(now + 1)[:, 0].tolist() == [39 - back // TICK for back in BACK_MS]


def test_what_was_before_the_first_tick_is_unknown() -> None:
    trail = Trail()
    trail.take_tick(tick(0, 7))
    trail.take_tick(tick(3, 8))
    assert trail.back(START + 3 * TICK)[:, 0].tolist()[0] == 7
    assert np.isnan(trail.back(START + 3 * TICK)[1:]).all()


def test_the_largest_of_a_lead_time_leaves_its_start_out_and_takes_its_end_in() -> None:
    trail = Trail()
    last = SOON_MS // TICK
    for number in range(last + 2):
        trail.take_tick(tick(number, {0: 9, last: 5, last + 1: 8}.get(number, 1)))
    assert trail.largest_since(START).tolist() == [5]


def test_with_too_few_truths_there_is_none() -> None:
    trail = Trail()
    for number in range(1, 25):
        trail.take_tick(tick(number, 3, 3, truths=(NAN if number <= 4 else 3, NAN if number <= 5 else 3)))
    known, unknown = trail.largest_since(START).tolist()
    assert known == 3
    assert np.isnan(unknown)
    assert np.isnan(trail.largest_since(START + 24 * TICK)).all()


def test_windows_are_of_the_newest_minutes_that_are_known() -> None:
    trail = Trail()
    trail.take_tick(tick(0, 1))
    assert np.isnan(trail.windows()).all()
    for number in range(1, 31):
        trail.take_minute(minute(number, NAN if number == 30 else number, 2 * number))
    means, largest = trail.windows()
    assert WINDOWS == (5, 15)
    assert means[:, 0].tolist() == [np.mean(range(26, 30)), np.mean(range(16, 30))]
    assert largest[:, 0].tolist() == [60, 60]


def test_a_minute_that_comes_again_changes_nothing() -> None:
    trail = Trail()
    trail.take_minute(minute(1, 5, 6))
    trail.take_minute(minute(2, 7, 8))
    trail.take_minute(minute(1, 100, 100))
    assert trail.windows()[0][:, 0].tolist() == [6, 6]


def test_a_clock_that_was_set_back_begins_it_anew() -> None:
    trail = Trail()
    for number in (100, 101, 2):
        trail.take_tick(tick(number, number))
        trail.take_minute(minute(number, number, number))
    assert np.isnan(trail.back(START + 2 * TICK)).all()
    assert trail.windows()[0][:, 0].tolist() == [2, 2]


def test_of_new_series_nothing_is_known() -> None:
    trail = Trail()
    trail.take_tick(tick(0, 1))
    trail.take_minute(minute(1, 4, 4))
    trail.grow(2)
    trail.take_tick(tick(3, 1, 2, 3))
    assert np.array_equal(trail.back(START + 3 * TICK)[0], [1, NAN, NAN], equal_nan=True)
    assert np.array_equal(trail.windows()[0][0], [4, NAN, NAN], equal_nan=True)
