import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.hpa.arithmetic import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    ceil,
    int32,
    int32_of,
    int64,
    int64_of,
    quotient,
    ratio,
)


def test_integers_wrap() -> None:
    assert int64(INT64_MAX + 1) == INT64_MIN
    assert int64(3 * INT64_MAX) == INT64_MAX - 2
    assert int32(INT32_MAX + 1) == INT32_MIN
    assert int32(2**32 + 7) == 7


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"), [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3)]
)
def test_division_truncates(dividend: int, divisor: int, expected: int) -> None:
    assert quotient(dividend, divisor) == expected


def test_the_one_quotient_that_overflows_wraps() -> None:
    assert quotient(INT64_MIN, -1) == INT64_MIN


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"),
    [(1.0, 0.0, math.inf), (-1.0, 0.0, -math.inf), (1.0, -0.0, -math.inf), (3.0, 2.0, 1.5)],
)
def test_division_by_zero_is_infinite(dividend: float, divisor: float, expected: float) -> None:
    assert ratio(dividend, divisor) == expected
    assert math.isnan(ratio(0.0, 0.0))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_floats_out_of_range_become_the_smallest_integer(value: float) -> None:
    assert int32_of(value) == INT32_MIN
    assert int64_of(value) == INT64_MIN


def test_the_range_ends_exactly() -> None:
    assert int32_of(2147483647.9) == INT32_MAX
    assert int32_of(2147483648.0) == INT32_MIN
    assert int64_of(float(INT64_MAX)) == INT64_MIN, "float64 has no 2^63-1, only 2^63"


@given(st.floats(-(2.0**31) + 1, 2.0**31 - 1))
def test_ceil_agrees_with_math(value: float) -> None:
    assert ceil(value) == math.ceil(value)
    assert int32_of(ceil(value)) == math.ceil(value)


def test_ceil_passes_what_is_no_number() -> None:
    assert math.isnan(ceil(math.nan))
    assert ceil(-math.inf) == -math.inf
