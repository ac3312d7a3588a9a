"""Laws that hold for any numbers."""

from hypothesis import given
from hypothesis import strategies as st

from adapter.hpa import limits, stabilization
from adapter.hpa.arithmetic import INT32_MAX
from adapter.hpa.controller import VERSIONS, Controller
from adapter.hpa.limits import Bounds, History
from adapter.hpa.observation import Values
from adapter.hpa.reconcile import reconcile
from adapter.hpa.spec import Behavior, Policy, PolicyType, ScaleDown, ScaleUp, Select, Spec
from adapter.hpa.stabilization import Windows
from adapter.hpa.state import Recommendation, ScaleEvent, State
from tests.unit.hpa.given import EXTERNAL, NOW_MS, calculator, pods, samples, seen

sizes = st.integers(0, 5000)
ages = st.integers(0, 4_000_000)
logs = st.lists(st.builds(lambda n, age: Recommendation(n, NOW_MS - age), sizes, ages), max_size=8).map(tuple)
events = st.lists(
    st.builds(lambda n, age: ScaleEvent(n, NOW_MS - age), st.integers(0, 500), ages), max_size=4
).map(tuple)
policies = st.lists(
    st.builds(Policy, st.sampled_from(PolicyType), st.integers(0, 1000), st.integers(1, 1800)), max_size=3
).map(tuple)
windows = st.integers(0, 3600)
selects = st.sampled_from(Select)
behaviors = st.builds(
    Behavior, st.builds(ScaleUp, windows, selects, policies), st.builds(ScaleDown, windows, selects, policies)
)
states = st.builds(State, logs, events, events)
controllers = st.sampled_from([Controller(version) for version in VERSIONS])
values = st.integers(0, 10**7)


# From a target of 4 on the replicas fit into an int32; beyond it they wrap, as upstream's do.
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(4, 10**6), st.integers(0, 10**9))
def test_more_usage_never_means_fewer_replicas(used: list[int], target: int, more: int) -> None:
    seen_pods = pods(len(used))
    found = calculator(seen_pods)
    before = found.average(len(used), target, "", samples(*used))
    after = found.average(len(used), target, "", samples(used[0] + more, *used[1:]))
    assert after.replicas >= before.replicas


@given(st.integers(1, 500), values, values, st.integers(1, 10**5))
def test_external_averages_are_monotone(status: int, value: int, more: int, target: int) -> None:
    found = calculator(())
    low, high = (found.external_average(status, target, (one,)) for one in (value, value + more))
    assert low.replicas <= high.replicas or high.replicas == status, "the tolerance keeps what there is"


@given(st.lists(st.integers(0, 2**63 - 1), max_size=5), st.integers(0, 5), st.integers(1, 2**63 - 1))
def test_external_replicas_never_overflow(items: list[int], status: int, target: int) -> None:
    found = calculator(pods(3))
    assert 0 <= found.external_average(status, target, tuple(items)).replicas <= INT32_MAX
    assert 0 <= found.external_value(3, target, tuple(items)).replicas <= INT32_MAX


@given(controllers, states, st.one_of(st.none(), behaviors), st.integers(1, 5000), sizes, values)
def test_a_step_stays_within_the_bounds(
    controller: Controller, state: State, behavior: Behavior | None, current: int, least: int, value: int
) -> None:
    spec = Spec(least + 100, least, (EXTERNAL,), behavior)
    step = reconcile(controller, spec, state, seen(current, Values((value,))), NOW_MS)
    assert step.desired is not None
    assert least <= step.desired <= least + 100
    assert step.rescaled == (step.desired != current)
    assert step.state.desired_replicas == step.desired


@given(behaviors, events, events, sizes, sizes)
def test_limits_never_turn_a_change_round(
    behavior: Behavior, ups: tuple[ScaleEvent, ...], downs: tuple[ScaleEvent, ...], current: int, desired: int
) -> None:
    done = limits.with_behavior(behavior, History(ups, downs, NOW_MS), current, desired, Bounds(0, 10**6))
    assert min(current, desired) <= done.replicas <= max(current, desired)


@given(logs, sizes, sizes, windows, windows)
def test_stabilized_lies_between_the_present_and_the_desired(
    log: tuple[Recommendation, ...], current: int, desired: int, up_s: int, down_s: int
) -> None:
    done = stabilization.with_behavior(log, current, desired, Windows(up_s, down_s), NOW_MS)
    recent = [desired, *(one.replicas for one in log)]
    assert min(current, *recent) <= done.replicas <= max(current, *recent)
    assert len(done.log) - len(log) in (0, 1)
    assert Recommendation(desired, NOW_MS) in done.log


@given(logs, sizes, windows)
def test_without_behavior_nothing_is_stabilized_downwards(
    log: tuple[Recommendation, ...], desired: int, window_s: int
) -> None:
    assert stabilization.without_behavior(log, desired, window_s * 1000, NOW_MS).replicas >= desired


@given(controllers, states, st.one_of(st.none(), behaviors), sizes, values)
def test_a_step_changes_nothing_that_it_was_given(
    controller: Controller, state: State, behavior: Behavior | None, current: int, value: int
) -> None:
    spec = Spec(6000, 0, (EXTERNAL,), behavior)
    observed, before = seen(current, Values((value,))), state._replace()
    first = reconcile(controller, spec, state, observed, NOW_MS)
    assert state == before
    assert reconcile(controller, spec, state, observed, NOW_MS) == first
