"""How far a ratio may be from 1 without a change."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from adapter.hpa.controller import Controller
from adapter.hpa.spec import Behavior
from cme.core.errors import InvalidInput

_FORM = re.compile(r"(\d+\.?\d*|\.\d+)([num]?)", re.ASCII)
_EXPONENT = {"": 0, "m": -3, "u": -6, "n": -9}


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Mirrors Tolerances; `two` is false for 1.30, which knows one number for both directions."""

    down: float
    up: float
    two: bool = True

    def within(self, ratio: float) -> bool:
        """Mirrors Tolerances.isWithin, in 1.30 the comparison in its place; NaN is never within."""
        if self.two:
            return (1.0 - self.down) <= ratio <= (1.0 + self.up)
        return abs(1.0 - ratio) <= self.up

    def exceeded(self, ratio: float) -> bool:
        """What averages ask. In 1.30 it is a comparison of its own, for which NaN exceeds nothing."""
        return not self.within(ratio) if self.two else abs(1.0 - ratio) > self.up


def tolerances(controller: Controller, behavior: Behavior | None) -> Tolerances:
    """Mirrors tolerancesForHpa."""
    down = up = controller.tolerance
    if behavior is not None and controller.own_tolerances:
        down = down if behavior.down.tolerance is None else behavior.down.tolerance
        up = up if behavior.up.tolerance is None else behavior.up.tolerance
    return Tolerances(down, up, controller.two_tolerances)


def from_quantity(text: str) -> float:
    """Mirrors Quantity.AsApproximateFloat64 of the canonical form that the API server keeps. Raises InvalidInput.

    0.07 is kept as 70m and becomes 70 * 0.001, which need not be the double nearest to 0.07.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidInput(f"{text!r} is not a tolerance", "tolerance", "write it like 0.05 or 50m")
    exact = Decimal(match[1]).scaleb(_EXPONENT[match[2]])
    for exponent in (0, -3, -6):
        if exact.scaleb(-exponent) % 1 == 0:
            return _scaled(int(exact.scaleb(-exponent)), exponent)
    return _scaled(math.ceil(exact.scaleb(9)), -9)  # anything finer is rounded up


def _scaled(digits: int, exponent: int) -> float:
    return float(digits) * float(f"1e{exponent}") if exponent else float(digits)
