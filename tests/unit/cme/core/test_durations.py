import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), ("1h30m", 5_400_000), ("250ms", 250), ("14d", 1_209_600_000)]
)
def test_reads_durations(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("bad", ["", "10", 10, "1.5h", "-5m", "5 m", "5min", None])
def test_refuses_what_has_no_clear_unit(bad: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(bad)


@given(st.integers(min_value=0, max_value=10**12))
def test_reads_back_what_it_writes(ms: int) -> None:
    assert parse_duration(format_duration(ms)) == ms


@pytest.mark.parametrize("long", ["36501d", "1" * 20 + "d", "1" * 4_000 + "ms"])
def test_refuses_what_no_sum_of_times_can_hold(long: str) -> None:
    assert parse_duration("36500d")
    with pytest.raises(ValueError, match="a duration is at most 36500d"):
        parse_duration(long)
