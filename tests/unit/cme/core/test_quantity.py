import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.errors import InvalidInput
from cme.core.quantity import MAX_MILLI, format_quantity, milli_from_float, parse_quantity


@pytest.mark.parametrize(
    ("text", "milli"),
    [
        ("0", 0),
        ("1", 1000),
        ("1500m", 1500),
        ("1.5", 1500),
        (".5", 500),
        ("1.", 1000),
        ("2k", 2_000_000),
        ("1Ki", 1_024_000),
        ("1e3", 1_000_000),
        ("1E3", 1_000_000),
        ("9P", 9 * 10**18),
        ("12e-1", 1200),
        ("1n", 1),
        ("1100u", 2),
        ("-1.5", -1500),
    ],
)
def test_parses_what_kubernetes_parses(text: str, milli: int) -> None:
    assert parse_quantity(text) == milli


def test_refuses_what_the_hpa_would_cap() -> None:
    with pytest.raises(InvalidInput, match="too large"):
        parse_quantity("10P")


@pytest.mark.parametrize(
    "text", ["", "m", "1.5.2", "1 k", "1K", "NaN", "Infinity", "0x10", "١", "1" * 65, "1e9999"]
)
def test_refuses_what_is_no_quantity(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_quantity(text)


@given(st.integers(min_value=0, max_value=MAX_MILLI))
def test_reads_back_what_it_writes(milli: int) -> None:
    assert parse_quantity(format_quantity(milli)) == milli


@pytest.mark.parametrize(
    ("milli", "text"),
    [(0, "0"), (1500, "1500m"), (2000, "2"), (20_000_000, "20k"), (10, "10m"), (8_600_000, "8600")],
)
def test_writes_the_canonical_form(milli: int, text: str) -> None:
    assert format_quantity(milli) == text


@pytest.mark.parametrize(
    ("value", "milli"),
    [(0.1 + 0.2, 300), (1.0001, 1001), (0.0, 0), (72_896_989.951, 72_896_989_951), (1e15, 10**18)],
)
def test_rounds_a_measured_value_up(value: float, milli: int) -> None:
    assert milli_from_float(value) == milli


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e30])
def test_an_error_never_becomes_a_number(value: float) -> None:
    with pytest.raises(InvalidInput):
        milli_from_float(value)
