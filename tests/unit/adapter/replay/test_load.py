"""What is measured of a load that is constant within its steps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adapter.replay.load import Load

NAN = float("nan")
LOAD = Load(60_000, 60_000, np.array([[10.0, 20.0, NAN, 40.0], [1.0, 1.0, 1.0, 1.0]]))


def test_a_mean_weighs_the_steps_by_the_time_that_they_share() -> None:
    assert LOAD.mean(np.array([135_000]), 30_000).tolist() == [[15.0], [1.0]]


def test_a_mean_over_what_is_not_known_is_not_known() -> None:
    mean = LOAD.mean(np.array([60_000, 200_000, 190_000]), 60_000)[0]
    assert np.isnan(mean[0])  # before the first step
    assert np.isnan(mean[1])  # a third of the minute
    assert mean[2] == 20.0  # five sixths of it


def test_the_largest_is_that_of_all_steps_touched() -> None:
    largest = LOAD.largest(np.array([120_000, 120_001, 240_000, 300_000]), 60_000)[0]
    assert largest[:2].tolist() == [10.0, 20.0]
    assert np.isnan(largest[2])
    assert largest[3] == 40.0


@given(
    arrays(float, (1, 7), elements=st.floats(0, 1e9)),
    st.integers(0, 7 * 1000),
    st.integers(1, 3000),
)
def test_mean_and_largest_are_those_of_a_walk_over_milliseconds(
    values: np.ndarray, end: int, span: int
) -> None:
    load = Load(0, 1000, values)
    seen = [values[0, ms // 1000] for ms in range(end - span, end) if ms >= 0]
    mean, largest = (f(np.array([end]), span)[0, 0] for f in (load.mean, load.largest))
    if len(seen) < 0.8 * span:
        assert np.isnan(mean)
    else:
        # A mean is the difference of two sums from the beginning, each of which is rounded.
        rounded = 4 * np.finfo(float).eps * 1000 * values.sum() / span
        assert np.isclose(mean, np.mean(seen), rtol=1e-6, atol=1e-6 + rounded)
        assert largest == max(seen)
