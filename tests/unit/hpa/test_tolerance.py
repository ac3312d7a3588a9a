import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.hpa.controller import Controller
from adapter.hpa.spec import Behavior, ScaleDown, ScaleUp
from adapter.hpa.tolerance import Tolerances, from_quantity, tolerances
from cme.core.errors import InvalidInput


def test_at_exactly_110_percent_old_controllers_scale_and_new_ones_do_not() -> None:
    assert abs(1.0 - 1.1) > 0.1, "the double hazard: 0.10000000000000009"
    assert not Tolerances(0.1, 0.1, two=False).within(1.1)
    assert Tolerances(0.1, 0.1).within(1.1)


def test_each_direction_has_its_own() -> None:
    uneven = Tolerances(down=0.5, up=0.0)
    assert uneven.within(0.5)
    assert uneven.within(1.0)
    assert not uneven.within(math.nextafter(1.0, 2.0))
    assert not uneven.within(math.nextafter(0.5, 0.0))


def test_nothing_is_within_for_nan() -> None:
    assert not Tolerances(9.0, 9.0).within(math.nan)
    assert not Tolerances(9.0, 9.0, two=False).within(math.nan)
    assert Tolerances(9.0, 9.0).exceeded(math.nan)
    assert not Tolerances(9.0, 9.0, two=False).exceeded(math.nan), "0 of a target of 0, in 1.30"


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.30", (0.1, 0.1)), ("1.33", (0.1, 0.1)), ("1.36", (0.1, 0.0)), ("1.37", (0.1, 0.0))],
)
def test_a_behavior_is_heeded_where_the_gate_is_on(version: str, expected: tuple[float, float]) -> None:
    found = tolerances(Controller(version), Behavior(up=ScaleUp(tolerance=0.0)))
    assert (found.down, found.up) == expected


def test_both_directions_of_a_behavior() -> None:
    behavior = Behavior(ScaleUp(tolerance=0.05), ScaleDown(tolerance=0.5))
    found = tolerances(Controller("1.37"), behavior)
    assert (found.down, found.up) == (0.5, 0.05)
    assert tolerances(Controller("1.37"), None) == Tolerances(0.1, 0.1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        ("1", 1.0),
        ("2.50", 2500 * 1e-3),
        ("0.07", 70 * 1e-3),
        ("70m", 70 * 1e-3),
        ("0.0001", 100 * 1e-6),
        ("0.00000000054", 1e-9),
    ],
)
def test_quantities_become_the_double_that_upstream_makes(text: str, expected: float) -> None:
    assert from_quantity(text) == expected


@given(st.decimals(0, 10, places=6, allow_nan=False))
def test_quantities_are_within_a_bit_of_the_number(number: Decimal) -> None:
    assert math.isclose(from_quantity(f"{number:f}"), float(number), rel_tol=1e-15)


@pytest.mark.parametrize("text", ["", "-1", "1e3", "10%", "1 m", "x"])
def test_what_is_no_tolerance_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        from_quantity(text)
