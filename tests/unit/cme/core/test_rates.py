import math

import pytest

from cme.core.rates import CounterWindow, Refusal


def window() -> CounterWindow:
    return CounterWindow(window_ms=60_000, max_gap_ms=30_000)


def test_a_rate_needs_two_points() -> None:
    counter = window()
    assert counter.push(0, 1000.0) is Refusal.FIRST
    assert counter.push(10_000, 1100.0) == 10.0


def test_the_window_slides() -> None:
    counter = window()
    counter.push(0, 0.0)
    for t in range(10_000, 120_001, 10_000):
        rate = counter.push(t, 100.0 * t / 1000 if t <= 60_000 else 6000.0)
    assert rate == 0.0


def test_a_restart_counts_from_zero() -> None:
    counter = window()
    counter.push(0, 1_000_000.0)
    assert counter.push(10_000, 50.0) == 5.0


def test_a_gap_says_nothing_about_what_happened_in_it() -> None:
    counter = window()
    counter.push(0, 0.0)
    assert counter.push(30_001, 9e9) is Refusal.GAP
    assert counter.push(40_001, 9e9 + 10) == 1.0


@pytest.mark.parametrize(
    ("time_ms", "value", "refusal"),
    [
        (10_000, 5.0, Refusal.DUPLICATE),
        (9_999, 5.0, Refusal.LATE),
        (20_000, math.nan, Refusal.NAN),
        (20_000, math.inf, Refusal.INFINITE),
        (20_000, -1.0, Refusal.NEGATIVE),
    ],
)
def test_a_refused_point_changes_nothing(time_ms: int, value: float, refusal: Refusal) -> None:
    counter = window()
    counter.push(0, 0.0)
    counter.push(10_000, 100.0)
    assert counter.push(time_ms, value) is refusal
    assert counter.push(20_000, 200.0) == 10.0
