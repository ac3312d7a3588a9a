import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from predictor.features import LIMIT, OWN, SHARED, K
from predictor.grid import Grid
from predictor.rows import Row, from_steps, in_steps

FEATURES = arrays.arrays(np.float32, (2, K, 3), elements=st.floats(-LIMIT, LIMIT, width=32))


@given(FEATURES)
def test_a_step_is_never_further_than_half_a_step(features: np.ndarray) -> None:
    assert np.abs(from_steps(in_steps(features)) - features).max() <= LIMIT / 65_000


@given(FEATURES, st.integers(0, K))
def test_a_row_gives_back_the_features_in_their_order(features: np.ndarray, first: int) -> None:
    features[1, SHARED] = features[0, SHARED]
    steps = in_steps(features)
    nothing = np.zeros(3, dtype=np.float32)
    row = Row(Grid().horizons[0], steps[0, SHARED], steps[:, OWN], nothing, nothing)
    np.testing.assert_array_equal(row.features(first), steps[:, :first])
    np.testing.assert_array_equal(row.features(first, np.array([2, 0])), steps[:, :first, [2, 0]])
