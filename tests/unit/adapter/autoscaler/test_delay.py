"""How much later settings of an HPA make it arrive."""

import pytest

from adapter.autoscaler.delay import delay_s
from adapter.autoscaler.manifest import at_once
from adapter.hpa.spec import Behavior, Policy, PolicyType, Rules, ScaleDown, ScaleUp, Select

PODS, PERCENT = PolicyType.PODS, PolicyType.PERCENT


def down(rules: Rules, start: int = 100, goal: int = 1) -> int | None:
    return delay_s(Behavior(at_once(start).up, rules), start, goal)


def test_the_fitting_one_has_none() -> None:
    assert delay_s(at_once(500), 500, 1) == 0
    assert delay_s(at_once(500), 1, 500) == 0


@pytest.mark.parametrize(("window", "delay"), [(0, 0), (None, 300), (60, 60), (61, 75), (3_600, 3_600)])
def test_a_window_delays_by_its_length_up_to_the_next_decision(window: int | None, delay: int) -> None:
    assert down(ScaleDown(stabilization_s=window)) == delay


@pytest.mark.parametrize(
    ("policies", "select", "delay"),
    [
        ([Policy(PODS, 9, 60)], Select.MAX, 600),  # eleven steps, the first at once
        ([Policy(PODS, 9, 60), Policy(PERCENT, 100, 15)], Select.MAX, 0),
        ([Policy(PODS, 9, 60), Policy(PERCENT, 100, 15)], Select.MIN, 600),
        ([Policy(PERCENT, 50, 60)], Select.MAX, 300),  # six: 50 25 12 6 3 1
        ([Policy(PODS, 1, 1_800)], Select.MAX, None),
        ([Policy(PERCENT, 100, 15)], Select.DISABLED, None),
    ],
)
def test_a_limit_delays_by_its_steps(policies: list[Policy], select: Select, delay: int | None) -> None:
    assert down(ScaleDown(stabilization_s=0, policies=tuple(policies), select=select)) == delay


def test_a_scale_up_by_the_defaults_doubles() -> None:
    # Six steps, the first at once: 5 10 20 40 80 100
    assert delay_s(Behavior(ScaleUp(), at_once(100).down), 1, 100) == 75
