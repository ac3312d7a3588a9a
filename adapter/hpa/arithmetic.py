"""Go's arithmetic: integers that wrap, division that truncates, floats that never raise.

Go leaves a float out of an integer's range to the machine; here it becomes what amd64 makes of it, the
smallest integer. (arm64 would give the nearest one. Only numbers beyond 2^31 replicas differ.)
"""

import math

INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


def int32(value: int) -> int:
    """Go's int32(value) of an integer: the low 32 bits."""
    return value if INT32_MIN <= value <= INT32_MAX else (value + 2**31) % 2**32 - 2**31


def int64(value: int) -> int:
    """Go's int64 after an operation: the low 64 bits."""
    return value if INT64_MIN <= value <= INT64_MAX else (value + 2**63) % 2**64 - 2**63


def quotient(dividend: int, divisor: int) -> int:
    """Go's int64 division: towards zero, where Python's goes down."""
    size = abs(dividend) // abs(divisor)
    return int64(size if (dividend < 0) == (divisor < 0) else -size)


def ratio(dividend: float, divisor: float) -> float:
    """Go's float64 division: NaN and infinities where Python raises."""
    if divisor:
        return dividend / divisor
    if not dividend or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def int32_of(value: float) -> int:
    """Go's int32(value) of a float64."""
    whole = math.trunc(value) if math.isfinite(value) else INT32_MIN
    return whole if INT32_MIN <= whole <= INT32_MAX else INT32_MIN


def int64_of(value: float) -> int:
    """Go's int64(value) of a float64."""
    whole = math.trunc(value) if math.isfinite(value) else INT64_MIN
    return whole if INT64_MIN <= whole <= INT64_MAX else INT64_MIN


def ceil(value: float) -> float:
    """Go's math.Ceil: a float, also of NaN and infinities."""
    return float(math.ceil(value)) if math.isfinite(value) else value
