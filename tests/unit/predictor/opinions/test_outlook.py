import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.durations import HOUR_MS
from predictor.grid import AT, MAX
from predictor.opinions.outlook import Outlook

END = 1000 * HOUR_MS
HOURS = np.arange(24, dtype=float)
RISING = Outlook(END, np.stack([HOURS + 0.5, HOURS]), np.stack([HOURS, HOURS * 2]), 99.0)
"""Whose mean at a moment is the time since its end in hours."""


@given(st.floats(0, 18))
def test_the_mean_is_that_of_the_moment_the_largest_that_of_the_hours_it_touches(hours: float) -> None:
    mean, deviation = RISING.cells(END + int(hours * HOUR_MS))
    lead_ends = np.array([hours + 1, hours + 6])
    inside = np.clip(lead_ends, 0.5, 23.5)
    np.testing.assert_allclose(mean[:, AT], inside, atol=1e-6)
    np.testing.assert_allclose(deviation[:, AT], inside - 0.5, atol=1e-6)
    touched = np.ceil(np.round(lead_ends, 9)) - 1
    np.testing.assert_allclose(mean[:, MAX], touched, atol=1)
    np.testing.assert_allclose(deviation[:, MAX], 2 * mean[:, MAX])


@pytest.mark.parametrize(
    ("hours", "known"), [(-1, [False, False]), (17, [True, True]), (20, [True, False]), (24, [False] * 2)]
)
def test_beyond_its_reach_it_says_nothing(hours: int, known: list[bool]) -> None:
    mean, deviation = RISING.cells(END + hours * HOUR_MS)
    assert np.isfinite(mean).all(axis=1).tolist() == known
    assert np.isfinite(deviation).all(axis=1).tolist() == known
