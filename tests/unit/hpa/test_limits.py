import pytest

from adapter.hpa import limits
from adapter.hpa.arithmetic import INT32_MAX
from adapter.hpa.controller import Controller
from adapter.hpa.limits import Bounds, History, Limited
from adapter.hpa.spec import Behavior, Policy, PolicyType, ScaleDown, ScaleUp, Select
from adapter.hpa.state import ScaleEvent
from tests.unit.hpa.given import NOW_MS

NO_PAST = History((), (), NOW_MS)
WIDE = Bounds(1, 10_000)


def percent(value: int, period_s: int = 60) -> Policy:
    return Policy(PolicyType.PERCENT, value, period_s)


def number(value: int, period_s: int = 60) -> Policy:
    return Policy(PolicyType.PODS, value, period_s)


def test_ten_percent_of_a_hundred_are_eleven() -> None:
    rules = ScaleUp(policies=(percent(10),))
    assert 100 * (1 + 10 / 100) > 110, "the double hazard that upstream keeps"
    assert limits.up_limit(rules, NO_PAST, 100) == 111


def test_up_is_rounded_up_and_down_is_cut() -> None:
    assert limits.up_limit(ScaleUp(policies=(percent(1),)), NO_PAST, 3) == 4
    assert limits.down_limit(ScaleDown(policies=(percent(1),)), NO_PAST, 3) == 2
    assert limits.down_limit(ScaleDown(policies=(percent(150),)), NO_PAST, 3) == -1


@pytest.mark.parametrize(
    ("select", "up", "down"), [(Select.MAX, 15, 4), (Select.MIN, 14, 6), (Select.DISABLED, 10, 10)]
)
def test_which_policy_is_selected(select: Select, up: int, down: int) -> None:
    policies = (number(4), percent(50)) if select is not Select.DISABLED else (number(1),)
    assert limits.up_limit(ScaleUp(select=select, policies=policies), NO_PAST, 10) == up
    policies = (number(4), percent(60))
    assert limits.down_limit(ScaleDown(select=select, policies=policies), NO_PAST, 10) == down


def test_a_period_begins_before_what_was_added_and_removed_in_it() -> None:
    past = History((ScaleEvent(5, NOW_MS - 59_999),), (ScaleEvent(2, NOW_MS - 1),), NOW_MS)
    assert past.start(20, 60) == 17
    assert limits.up_limit(ScaleUp(policies=(number(4),)), past, 20) == 21


def test_an_event_as_old_as_the_period_is_out_of_it() -> None:
    past = History((ScaleEvent(5, NOW_MS - 60_000),), (), NOW_MS)
    assert past.start(20, 60) == 20


@pytest.mark.parametrize(
    ("current", "desired", "expected"),
    [
        (5, 5, Limited(5, "DesiredWithinRange")),
        (5, 9, Limited(9, "DesiredWithinRange")),
        (5, 99, Limited(10, "ScaleUpLimit")),
        (1, 99, Limited(4, "ScaleUpLimit")),
        (6, 99, Limited(12, "TooManyReplicas")),
        (7, 99, Limited(12, "TooManyReplicas")),
        (5, 1, Limited(3, "TooFewReplicas")),
    ],
)
def test_without_behavior(current: int, desired: int, expected: Limited) -> None:
    assert limits.without_behavior(Controller(), current, desired, Bounds(3, 12)) == expected


@pytest.mark.parametrize(
    ("current", "desired", "expected"),
    [
        (10, 10, Limited(10, "DesiredWithinRange")),
        (10, 12, Limited(12, "DesiredWithinRange")),
        (10, 99, Limited(12, "ScaleUpLimit")),
        (59, 99, Limited(60, "TooManyReplicas")),
        (10, 9, Limited(9, "DesiredWithinRange")),
        (10, 1, Limited(8, "ScaleDownLimit")),
        (6, 1, Limited(5, "TooFewReplicas")),
    ],
)
def test_with_behavior(current: int, desired: int, expected: Limited) -> None:
    behavior = Behavior(ScaleUp(policies=(number(2),)), ScaleDown(policies=(number(2),)))
    assert limits.with_behavior(behavior, NO_PAST, current, desired, Bounds(5, 60)) == expected


def test_a_used_up_policy_holds_the_present_size_and_never_turns_round() -> None:
    past = History((ScaleEvent(50, NOW_MS - 1),), (ScaleEvent(50, NOW_MS - 1),), NOW_MS)
    ups = History(past.ups, (), NOW_MS)
    downs = History((), past.downs, NOW_MS)
    behavior = Behavior(ScaleUp(policies=(number(2),)), ScaleDown(policies=(number(2),)))
    assert limits.with_behavior(behavior, ups, 100, 200, WIDE) == Limited(100, "ScaleUpLimit")
    assert limits.with_behavior(behavior, downs, 100, 20, WIDE) == Limited(100, "ScaleDownLimit")


def test_defaults_let_a_workload_double_or_add_four() -> None:
    behavior = Behavior()
    assert limits.with_behavior(behavior, NO_PAST, 3, 99, WIDE).replicas == 7
    assert limits.with_behavior(behavior, NO_PAST, 30, 99, WIDE).replicas == 60
    assert limits.with_behavior(behavior, NO_PAST, 30, 1, WIDE).replicas == 1


def test_huge_percentages_overflow_to_no_rise() -> None:
    behavior = Behavior(up=ScaleUp(policies=(percent(INT32_MAX),)))
    assert limits.with_behavior(behavior, NO_PAST, 1000, 2000, WIDE) == Limited(1000, "ScaleUpLimit")
