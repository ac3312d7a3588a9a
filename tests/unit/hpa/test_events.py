from adapter.hpa import events
from adapter.hpa.spec import Policy, PolicyType, ScaleUp
from adapter.hpa.state import ScaleEvent
from tests.unit.hpa.given import NOW_MS

RULES = ScaleUp(policies=(Policy(PolicyType.PODS, 1, 30), Policy(PolicyType.PODS, 1, 60)))
NEW = ScaleEvent(5, NOW_MS)


def aged(change: int, age_ms: int, outdated: bool = False) -> ScaleEvent:
    return ScaleEvent(change, NOW_MS - age_ms, outdated)


def test_the_longest_period_decides_what_is_outdated() -> None:
    assert events.longest_period_s(RULES) == 60
    assert events.stored((aged(7, 60_000),), 5, RULES, NOW_MS) == (aged(7, 60_000), NEW)
    assert events.stored((aged(7, 60_001),), 5, RULES, NOW_MS) == (NEW,)


def test_the_last_outdated_one_is_replaced_the_others_are_marked() -> None:
    before = (aged(1, 70_000), aged(2, 80_000), aged(3, 10))
    assert events.stored(before, 5, RULES, NOW_MS) == (aged(1, 70_000, True), NEW, aged(3, 10))


def test_once_outdated_stays_outdated_though_a_longer_period_would_count_it() -> None:
    longer = ScaleUp(policies=(Policy(PolicyType.PODS, 1, 600),))
    assert events.stored((aged(1, 70_000, True),), 5, longer, NOW_MS) == (NEW,)
    assert events.change_within((aged(1, 70_000, True),), 600, NOW_MS) == 1


def test_changes_are_summed_strictly_within_the_period() -> None:
    past = (aged(1, 59_999), aged(10, 60_000), aged(100, 0))
    assert events.change_within(past, 60, NOW_MS) == 101
    assert events.change_within((), 60, NOW_MS) == 0


def test_no_policies_no_period() -> None:
    assert events.longest_period_s(ScaleUp(policies=())) == 0
