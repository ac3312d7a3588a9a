"""The verdict as a pure function."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cme.core.distrust import Cause
from predictor.arrays import Floats
from predictor.trust.judge import PROBATION_DAYS, State, faults, judged
from predictor.trust.record import FIGURES, Day

HOUR = 1 / 24
SHARE = st.floats(0, 1)
AMOUNT = st.floats(0, 1e5, width=32)


def cell(value: float) -> Floats:
    return np.full((1, 1), value, dtype=np.float32)


def day(**figures: float) -> Day:
    """Of 288 origins with a load of 100 each, as good as the opponent's unless said otherwise."""
    usual = {"count": 288, "covered": 274, "baseline_covered": 274, "loss": 288, "baseline_loss": 288}
    whole = (
        dict.fromkeys(FIGURES, 0.0) | usual | {"over": 2880, "baseline_over": 2880, "load": 28_800} | figures
    )
    return Day(**{name: cell(value) for name, value in whole.items()})


def found(of: Day, independent: float = 288) -> Cause:
    return Cause(int(faults(of, cell(independent))[0, 0]))


days = st.builds(
    lambda covered, baseline, **more: day(covered=288 * covered, baseline_covered=288 * baseline, **more),
    covered=SHARE,
    baseline=SHARE,
    **dict.fromkeys(("loss", "baseline_loss", "over", "baseline_over", "load"), AMOUNT),
)


@pytest.mark.parametrize(
    ("figures", "cause"),
    [
        ({}, Cause.NONE),
        ({"loss": 288 * 1.05}, Cause.NONE),
        ({"loss": 288 * 1.2}, Cause.LOSS),
        ({"over": 2880 * 1.3}, Cause.OVER),
        ({"over": 2880 * 1.3, "loss": 287}, Cause.NONE),  # it paid
        ({"covered": 288 * 0.87}, Cause.COVERAGE),
        ({"covered": 288 * 0.895}, Cause.NONE),
        ({"loss": 999, "over": 9999, "covered": 200}, Cause.LOSS | Cause.OVER | Cause.COVERAGE),
    ],
)
def test_what_is_worse_than_the_opponent_is_named(figures: dict[str, float], cause: Cause) -> None:
    assert found(day(**figures)) == cause


def test_an_opponent_that_was_short_instead_accuses_nobody_of_waste() -> None:
    wasteful = {"over": 2880 * 1.3, "covered": 288 * 0.95}
    assert found(day(baseline_covered=288 * 0.94, **wasteful)) == Cause.NONE
    assert found(day(baseline_covered=288 * 0.95, **wasteful)) == Cause.OVER
    assert found(day(baseline_covered=288 * 0.95, **wasteful | {"covered": 288})) == Cause.OVER


@given(of=days, more=AMOUNT, independent=st.floats(1, 300))
def test_a_higher_loss_never_makes_it_better(of: Day, more: float, independent: float) -> None:
    worse = replace(of, loss=of.loss + np.float32(more), over=of.over + np.float32(more))
    assert found(of, independent) & ~found(worse, independent) == Cause.NONE


@given(of=days, share=SHARE, independent=st.floats(1, 300))
def test_less_coverage_never_makes_it_better(of: Day, share: float, independent: float) -> None:
    worse = replace(of, covered=of.covered * np.float32(share))
    assert found(of, independent) & ~found(worse, independent) == Cause.NONE


@given(of=days, few=st.floats(1, 300), many=st.floats(1, 300))
def test_fewer_independent_origins_never_speak_louder(of: Day, few: float, many: float) -> None:
    few, many = sorted((few, many))
    assert found(of, few) & ~found(of, many) == Cause.NONE


@given(baseline_loss=AMOUNT, baseline_over=AMOUNT, load=AMOUNT, independent=st.floats(1, 300))
def test_a_perfect_forecast_has_no_fault(
    baseline_loss: float, baseline_over: float, load: float, independent: float
) -> None:
    perfect = day(
        covered=288, loss=0, over=0, baseline_loss=baseline_loss, baseline_over=baseline_over, load=load
    )
    assert found(perfect, independent) == Cause.NONE


def test_of_a_flat_load_the_last_digit_decides_nothing() -> None:
    assert found(day(loss=1e-3, over=1e-2, baseline_loss=0, baseline_over=0)) == Cause.NONE


def after(state: State, cause: Cause, share: float = 1.0) -> State:
    return judged(state, np.array([[cause]], dtype=np.uint8), cell(share), cell(HOUR))


TRUSTED = State(cell(0), np.zeros((1, 1), dtype=np.uint8))


@given(st.lists(st.booleans(), max_size=120))
def test_trust_comes_back_after_two_good_days_in_a_row_and_not_before(hours: list[bool]) -> None:
    state, good = TRUSTED, 48
    for bad in hours:
        state = after(state, Cause.OVER if bad else Cause.NONE)
        good = 0 if bad else good + 1
        assert (state.causes[0, 0] == 0) == (good >= 48 - 1e-3)


def test_while_it_waits_the_last_causes_stand() -> None:
    state = after(after(TRUSTED, Cause.LOSS | Cause.COVERAGE), Cause.COVERAGE)
    assert after(state, Cause.NONE).causes[0, 0] == Cause.COVERAGE


def test_without_enough_compared_nothing_changes() -> None:
    assert after(TRUSTED, Cause.LOSS, share=0.5).causes[0, 0] == Cause.NONE
    lost = after(TRUSTED, Cause.LOSS)
    for _ in range(100):
        lost = after(lost, Cause.NONE, share=0.5)
    assert lost.wait[0, 0] == PROBATION_DAYS
