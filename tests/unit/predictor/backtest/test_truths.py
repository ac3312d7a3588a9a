import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.backtest.truths import sliding_max

VALUES = st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=1, max_size=40)


@given(VALUES, st.data())
def test_a_window_has_its_largest_value_and_a_gap_makes_it_unknown(
    values: list[float], data: st.DataObject
) -> None:
    width = data.draw(st.integers(1, len(values)))
    windows = np.lib.stride_tricks.sliding_window_view(np.array(values), width)
    np.testing.assert_array_equal(sliding_max(np.array(values), width), windows.max(axis=1))
