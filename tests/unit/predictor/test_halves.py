import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from predictor.halves import LARGEST, pack, unpack

NUMBERS = arrays.arrays(np.float32, 20, elements=st.floats(0, 1e6, width=32))


@given(NUMBERS)
def test_a_half_is_no_further_than_numpys(values: np.ndarray) -> None:
    capped = np.minimum(values, LARGEST)
    numpys = capped.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(np.abs(unpack(pack(values)) - capped), np.abs(numpys - capped))


@given(NUMBERS)
def test_halves_are_the_bits_of_float16(values: np.ndarray) -> None:
    halves = pack(values)
    np.testing.assert_array_equal(unpack(halves), halves.view(np.float16).astype(np.float32))


@given(NUMBERS)
def test_halves_are_in_the_order_of_their_numbers(values: np.ndarray) -> None:
    ascending = np.sort(values)
    assert (np.diff(pack(ascending).astype(int)) >= 0).all()
    assert unpack(pack(values).max()[None])[0] == unpack(pack(values)).max()


def test_what_is_no_number_is_negative_and_unpacks_beyond_all_numbers() -> None:
    halves = pack(np.array([np.nan, -np.nan, 1], dtype=np.float32))
    assert (halves < 0).tolist() == [True, True, False]
    assert (unpack(halves)[:2] > LARGEST).all()
