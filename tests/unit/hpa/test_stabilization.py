import pytest

from adapter.hpa import stabilization
from adapter.hpa.stabilization import Windows
from adapter.hpa.state import Recommendation
from tests.unit.hpa.given import NOW_MS


def log(*pairs: tuple[int, int]) -> tuple[Recommendation, ...]:
    """(replicas, age in ms)."""
    return tuple(Recommendation(replicas, NOW_MS - age) for replicas, age in pairs)


NEW = (3, 0)


def test_without_behavior_the_largest_of_the_window_wins() -> None:
    past = log((9, 60_000), (7, 30_000))
    done = stabilization.without_behavior(past, 3, 300_000, NOW_MS)
    assert (done.replicas, done.log) == (9, (*past, *log(NEW)))


@pytest.mark.parametrize(("age_ms", "expected"), [(300_000, 9), (300_001, 3)])
def test_without_behavior_one_exactly_as_old_as_the_window_counts(age_ms: int, expected: int) -> None:
    assert stabilization.without_behavior(log((9, age_ms)), 3, 300_000, NOW_MS).replicas == expected


@pytest.mark.parametrize(("age_ms", "expected"), [(299_999, 9), (300_000, 3)])
def test_with_behavior_one_exactly_as_old_as_the_window_does_not(age_ms: int, expected: int) -> None:
    done = stabilization.with_behavior(log((9, age_ms)), 10, 3, Windows(0, 300), NOW_MS)
    assert (done.replicas, done.reason) == (expected, "ScaleDownStabilized")


def test_the_last_old_slot_is_used_again() -> None:
    past = log((1, 900_000), (2, 800_000), (4, 10))
    assert stabilization.without_behavior(past, 3, 300_000, NOW_MS).log == log((1, 900_000), NEW, (4, 10))
    windows = Windows(0, 300)
    assert stabilization.with_behavior(past, 4, 3, windows, NOW_MS).log == log((1, 900_000), NEW, (4, 10))


def test_with_behavior_a_slot_is_old_only_for_the_longer_window() -> None:
    past = log((1, 400_000), (5, 200_000))
    assert len(stabilization.with_behavior(past, 5, 3, Windows(60, 600), NOW_MS).log) == 3
    assert len(stabilization.with_behavior(past, 5, 3, Windows(60, 300), NOW_MS).log) == 2


def test_with_behavior_a_slot_exactly_as_old_as_the_window_is_kept() -> None:
    assert len(stabilization.with_behavior(log((1, 300_000)), 5, 3, Windows(0, 300), NOW_MS).log) == 2


@pytest.mark.parametrize(
    ("current", "desired", "expected", "reason"),
    [
        (1, 7, 4, "ScaleUpStabilized"),
        (100, 3, 9, "ScaleDownStabilized"),
        (6, 7, 6, "ScaleUpStabilized"),
        (6, 5, 6, "ScaleDownStabilized"),
    ],
)
def test_both_windows_bound_the_present_size(current: int, desired: int, expected: int, reason: str) -> None:
    past = log((4, 120_000), (9, 60_000))
    done = stabilization.with_behavior(past, current, desired, Windows(300, 300), NOW_MS)
    assert (done.replicas, done.reason) == (expected, reason)
