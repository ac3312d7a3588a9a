"""Kubernetes quantities, exactly, as integers of thousandths ("milli").

The rules are those of apimachinery's `resource.Quantity`: a decimal number with a decimal (n u m k M G T
P E), binary (Ki .. Ei) or exponent suffix; anything finer than a thousandth is rounded away from zero; the
canonical decimal form takes the largest suffix that leaves a whole number.
"""

import math
import re
from decimal import Decimal
from fractions import Fraction

from cme.core.errors import InvalidInput

MAX_MILLI = 2**63 - 1
"""The HPA reads MilliValue, an int64; larger values would be silently capped there."""

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FORM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3}|[KMGTPE]i|[numkMGTPE]?)", re.ASCII)


def parse_quantity(text: str) -> int:
    """Thousandths of the quantity in `text`, rounded away from zero. Raises InvalidInput."""
    match = _FORM.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        raise InvalidInput(
            f"{text[:64]!r} is not a Kubernetes quantity", "quantity", "write it like 1500m, 2, 20k or 4Gi"
        )
    sign, digits, suffix = match.groups()
    milli = math.ceil(Fraction(digits) * _factor(suffix) * 1000)
    if milli > MAX_MILLI:
        raise InvalidInput(
            f"{text!r} is too large", "quantity", f"the largest is {format_quantity(MAX_MILLI)}"
        )
    return -milli if sign == "-" else milli


def _factor(suffix: str) -> Fraction:
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix]
    if suffix in _BINARY:
        return Fraction(2 ** _BINARY[suffix])
    return Fraction(10) ** int(suffix[1:])


def format_quantity(milli: int) -> str:
    """Canonical decimal text of `milli` thousandths: 1500 -> 1500m, 2000 -> 2, 20000000 -> 20k."""
    if milli == 0:
        return "0"
    suffixes = ("m", "", "k", "M", "G", "T", "P", "E")
    place = 0
    while milli % 1000 == 0 and place < len(suffixes) - 1:
        milli //= 1000
        place += 1
    return f"{milli}{suffixes[place]}"


def milli_from_float(value: float) -> int:
    """Thousandths of a measured value, rounded up as Quantity does.

    Raises InvalidInput for NaN, infinity, a negative or a too large value: no such number may reach the HPA.
    """
    if not math.isfinite(value) or value < 0:
        raise InvalidInput(f"{value} can't be served", "value", "a served value is finite and not negative")
    # A float holds 17 digits: without rounding first, 0.1 + 0.2 would become 301m. Whole numbers, as of replicas, are exact.
    whole = float(value).is_integer()
    milli = 1000 * int(value) if whole else math.ceil(Decimal(repr(round(value, 6))).scaleb(3))
    if milli > MAX_MILLI:
        raise InvalidInput(f"{value} is too large to be served", "value", "use a larger unit")
    return milli
