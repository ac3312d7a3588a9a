"""Causes packed into one number a series."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cme.core.distrust import Cause, packed, unpacked
from cme.core.reasons import Reason, codes, reasons_of

CELLS = 10


@given(arrays(np.uint8, st.tuples(st.just(CELLS), st.integers(0, 5)), elements=st.integers(0, 7)))
def test_what_was_packed_comes_back(causes: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> None:
    np.testing.assert_array_equal(unpacked(packed(causes), CELLS), causes)


@given(arrays(np.uint8, array_shapes(max_dims=1), elements=st.integers(0, 7)))
def test_every_cause_has_a_reason_of_its_name(causes: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None:
    for cause, reasons in zip(causes.tolist(), reasons_of(causes).tolist(), strict=True):
        assert codes(reasons) == [f"untrusted_{str(one.name).lower()}" for one in Cause(cause)]


def test_no_two_reasons_share_a_bit() -> None:
    assert sum(Reason) == (1 << len(Reason)) - 1
