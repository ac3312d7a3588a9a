import numpy as np

from cme.core.durations import HOUR_MS, MINUTE_MS
from predictor.opinions.recent import MINUTES, Recent

START = 5000 * HOUR_MS


def minutes(count: int, *without: int) -> Recent:
    """Minute n has the mean n and the largest 1000 - n."""
    recent = Recent()
    for n in range(1, count + 1):
        if n not in without:
            recent.take(START + n * MINUTE_MS, n, 1000 - n)
    return recent


def test_the_truth_is_the_minute_at_the_lead_and_the_largest_up_to_it() -> None:
    assert minutes(100).truth(START + 30 * MINUTE_MS, HOUR_MS).tolist() == [90, 969]


def test_a_correction_counts_and_the_largest_needs_most_of_its_minutes() -> None:
    recent = minutes(60, *range(20, 32))
    recent.take(START + 60 * MINUTE_MS, 7, 8)
    assert recent.truth(START, HOUR_MS).tolist() == [7, 999]
    np.testing.assert_array_equal(minutes(60, *range(20, 33)).truth(START, HOUR_MS), [60, np.nan])
    np.testing.assert_array_equal(minutes(60, 60).truth(START, HOUR_MS), [np.nan, 999])


def test_what_is_too_long_ago_is_unknown_and_no_later_minute_in_its_place() -> None:
    recent = minutes(30)
    recent.take(START + (60 + MINUTES) * MINUTE_MS, 5, 5)
    for ago in range(0, MINUTES, 7):
        truth = recent.truth(START + ago * MINUTE_MS, HOUR_MS)
        assert np.isnan(truth).all() or ago >= MINUTES - 1
    recent.take(START, 3, 3)
    assert np.isnan(recent.truth(START - HOUR_MS, HOUR_MS)).all()
