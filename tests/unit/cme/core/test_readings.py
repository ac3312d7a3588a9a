from cme.core.readings import Flag, total


def test_a_full_sum_is_exact() -> None:
    result = total([(1.0, 50), (2.0, 40)], expected=2)
    assert result is not None
    assert (result.value, result.time_ms, result.coverage, result.flags) == (3.0, 40, 1.0, Flag.NONE)


def test_a_partial_sum_is_scaled_and_says_so() -> None:
    result = total([(1.0, 50)] * 8, expected=10)
    assert result is not None
    assert result.value == 10.0
    assert result.flags == Flag.ESTIMATED


def test_below_the_coverage_the_load_is_missing_not_small() -> None:
    assert total([(1.0, 50)] * 7, expected=10) is None
    assert total([], expected=0) is None
